/** From the choices of a person to one request to train. */
import type { Dataset, Finding, TrainRequest } from './contract';

const UNLEARNT = new Set(['id', 'constant', 'empty']);

export interface Choices {
  target: string | null;
  metric: string;
  seconds: number;
  name: string;
  groups: string;
  time: string;
  trials: string;
  seed: string;
  excluded: readonly string[];
}

/** The columns that are learnt from unless others are named. */
export function learnt(dataset: Dataset, target: string | null): string[] {
  return dataset.columns
    .filter(column => column.name !== target && !UNLEARNT.has(column.role))
    .map(column => column.name);
}

/** The request, without what is left to the server; findings that are acted on are part of it. */
export function request(dataset: Dataset, choices: Choices, acted: readonly Finding[]): TrainRequest {
  const { target, excluded } = choices;
  const asked: TrainRequest = {
    ...(target === null ? {} : { target }),
    ...(choices.metric.trim() ? { metric: choices.metric.trim() } : {}),
    time_budget: choices.seconds,
    ...(choices.name.trim() ? { name: choices.name.trim() } : {}),
    ...(choices.groups ? { groups: choices.groups } : {}),
    ...(choices.time ? { time_column: choices.time } : {}),
    ...(Number(choices.trials) ? { max_trials: Number(choices.trials) } : {}),
    ...(Number(choices.seed) ? { seed: Number(choices.seed) } : {}),
    ...(excluded.length ? { columns: learnt(dataset, target).filter(name => !excluded.includes(name)) } : {})
  };
  return combined([asked, ...acted.map(finding => (finding.action ?? {}) as TrainRequest)]);
}

/** Several wishes in one: columns that all keep, marks of all, of other fields the first. */
function combined(wishes: readonly TrainRequest[]): TrainRequest {
  const body: TrainRequest = {};
  for (const wish of wishes) {
    const { columns, missing_values: marks, ...rest } = wish;
    Object.assign(body, { ...rest, ...body });
    if (columns) {
      const wanted = new Set(columns);
      body.columns = body.columns?.filter(name => wanted.has(name)) ?? columns;
    }
    if (marks) body.missing_values = merged(body.missing_values ?? {}, marks);
  }
  return body;
}

type Marks = NonNullable<TrainRequest['missing_values']>;

function merged(marks: Marks, more: Marks): Marks {
  const columns = new Set([...Object.keys(marks), ...Object.keys(more)]);
  return Object.fromEntries(
    [...columns].map(column => [column, [...new Set([...(marks[column] ?? []), ...(more[column] ?? [])])]])
  );
}
