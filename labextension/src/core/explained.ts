/** How the answer for one row comes about, made ready to be shown: what counts, how sure it is, rows like it. */
import type { Contribution, RowExplanation, RowExplanations } from './contract';

/** Standard errors on both sides that hold 90 % of a normal distribution, as all our intervals do. */
const NINE_OF_TEN = 1.645;

type Value = Contribution['cell'];

export interface Share {
  readonly column: string;
  readonly cell: Value;
  /** What the column adds to the answer. */
  readonly adds: number;
  /** How far that may be off, with 90 %; 0 where it is exact. */
  readonly within: number;
}

export interface Explained {
  /** The columns that count most, the first most. */
  readonly shares: readonly Share[];
  readonly exact: boolean;
  /** The two columns that count most, where it cannot be told which of them does. */
  readonly unsure: readonly [string, string] | null;
}

/** What each column adds, compared to usual rows: to the predicted class, or to the quantity. */
export function explained(answer: RowExplanations, row: RowExplanation, most: number): Explained {
  const found = answer.outputs.findIndex(output => String(output) === String(row.value));
  const output = Math.max(found, 0);
  // With two classes there is one output, for the second; what speaks against it speaks for the first.
  const against = answer.outputs.length === 1 && answer.scale === 'log_odds' && found < 0;
  const shares = row.contributions
    .map(({ column, cell, adds, errors }) => ({
      column,
      cell,
      adds: (adds[output] ?? 0) * (against ? -1 : 1),
      within: NINE_OF_TEN * (errors[output] ?? 0)
    }))
    .sort((one, other) => Math.abs(other.adds) - Math.abs(one.adds))
    .slice(0, most);
  const [first, second] = shares;
  const close =
    first && second && Math.abs(first.adds) - Math.abs(second.adds) < Math.hypot(first.within, second.within);
  return {
    shares,
    exact: shares.every(share => share.within === 0),
    unsure: close ? [first.column, second.column] : null
  };
}

export interface Like {
  readonly column: string;
  readonly own: Value;
  /** The cells of the rows that were predicted otherwise, and whether they differ. */
  readonly others: readonly { readonly cell: Value; readonly differs: boolean }[];
}

export interface Likes {
  readonly lines: readonly Like[];
  /** How many more columns differ. */
  readonly more: number;
}

/** Where rows that were predicted otherwise differ: the columns that differ most come first. */
export function likes(row: RowExplanation, most: number): Likes {
  const own = new Map(row.contributions.map(item => [item.column, item.cell]));
  const ranks = new Map<string, number>();
  for (const example of row.counterexamples) {
    example.differences.forEach((column, rank) => {
      ranks.set(column, Math.min(rank, ranks.get(column) ?? rank));
    });
  }
  const columns = [...ranks].sort((one, other) => one[1] - other[1]).map(([column]) => column);
  return {
    lines: columns.slice(0, most).map(column => ({
      column,
      own: own.get(column) ?? null,
      others: row.counterexamples.map(example => ({
        cell: example.cells[column] ?? null,
        differs: example.differences.includes(column)
      }))
    })),
    more: Math.max(0, columns.length - most)
  };
}
