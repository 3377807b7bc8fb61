/** How the answer for one row comes about, how sure that is, and rows like it that were predicted otherwise. */
import { useState, type ReactElement } from 'react';

import type { Contribution, Model, ModelVersion, RowExplanation, RowExplanations } from '../core/contract';
import { explained, likes, type Share } from '../core/explained';
import { day, plain, type Format } from '../core/format';
import * as snippets from '../core/snippets';
import { useApp, useLoad } from './context';
import { Await, Card, CopyAs, OnDemand, Scroll } from './parts';

const MOST = 10;
/** Columns that are told of rows that were predicted otherwise. */
const MOST_LIKE = 8;
/** Characters of a value that do not break, as many as a date has. */
const SHORT = 10;
/** Characters of a value that stand in a table. */
const LONG = 60;

type Row = Record<string, string | number | boolean | null>;

export interface Asked {
  readonly load: ReturnType<typeof useLoad<RowExplanations>>;
  readonly wanted: boolean;
  readonly want: () => void;
  readonly copied: snippets.Snippets;
}

/** The explanation of a row, asked for when somebody wants it; another row has to be wanted anew. */
export function useExplanation(model: Model, version: ModelVersion, row: Row): Asked {
  const { api } = useApp();
  const asked = JSON.stringify(row);
  const [wanted, setWanted] = useState('');
  const ask = { path: { name: model.name }, query: { version: version.version } };
  const key = wanted === asked ? `why/${model.name}/${version.version}/${asked}` : '';
  const load = useLoad<RowExplanations>(key, () =>
    api.post('post /api/models/{name}/explain/', { rows: [row] }, ask)
  );
  return {
    load,
    wanted: wanted === asked,
    want: () => setWanted(asked),
    copied: snippets.explainRow(model.name, version.version, row)
  };
}

export function Why({ asked: { load, wanted, want, copied } }: { asked: Asked }): ReactElement {
  const { words } = useApp();
  return (
    <Card title={words.text('app.predict.why')}>
      <OnDemand label={words.text('app.predict.explain')} wanted={wanted} want={want}>
        <Await load={load}>
          {answer => answer.rows.map((row, index) => <Adds key={index} answer={answer} row={row} />)}
        </Await>
      </OnDemand>
      <CopyAs action={words.text('app.predict.explain')} snippets={copied} />
    </Card>
  );
}

/** The rows of the table that are much like it and were predicted otherwise. */
export function Otherwise({ asked: { load } }: { asked: Asked }): ReactElement | null {
  const { words } = useApp();
  const row = load.value?.rows[0];
  return row ? (
    <Card title={words.text('app.like')} className="am-whole">
      {row.counterexamples.length ? <Likes row={row} /> : <p>{words.text('app.like.none')}</p>}
    </Card>
  ) : null;
}

/** A cell as the model has read it. */
function shown(value: Contribution['cell'], format: Format): string {
  return typeof value === 'number' && !Number.isInteger(value)
    ? format.short(value, 6)
    : day(plain(value ?? '–'));
}

/** A value, which stays on one line where it is short. */
function Is({ text, sign = '' }: { text: string; sign?: string }): ReactElement {
  return (
    <span className={text.length <= SHORT ? 'am-figures' : ''}>
      {sign}
      {text}
    </span>
  );
}

/** A cell among others: of a long text, the beginning. */
function Cell({ value }: { value: Contribution['cell'] }): ReactElement {
  const { format } = useApp();
  const text = shown(value, format);
  return <Is text={text.length > LONG ? `${text.slice(0, LONG - 1)}…` : text} />;
}

function Adds({ answer, row }: { answer: RowExplanations; row: RowExplanation }): ReactElement {
  const { words, format } = useApp();
  const { shares, exact, unsure } = explained(answer, row, MOST);
  const most = Math.max(...shares.map(share => Math.abs(share.adds) + share.within), 1e-12);
  return (
    <>
      <p className="am-soft">
        {answer.scale === 'target'
          ? words.text('app.predict.adds_quantity')
          : words.text('app.predict.adds_class', { value: plain(row.value) })}
      </p>
      <ul className="am-adds">
        {shares.map(share => (
          <li key={share.column}>
            <span>
              {share.column} <Is sign="= " text={shown(share.cell, format)} />
            </span>
            <Bar share={share} most={most} />
            <span className="am-num">
              {share.adds > 0 ? '+' : ''}
              {format.short(share.adds, 3)}
              {share.within > 0 && <span className="am-hint"> ± {format.short(share.within, 2)}</span>}
            </span>
          </li>
        ))}
      </ul>
      <p className="am-hint">
        {exact ? words.text('app.why.exact') : words.text('app.why.sampled')}{' '}
        {unsure && words.text('app.why.no_order', { first: unsure[0], second: unsure[1] })}
      </p>
    </>
  );
}

/** What a column adds as a bar, and how far that may be off as a line over its end; the figures say the same. */
function Bar({ share: { adds, within }, most }: { share: Share; most: number }): ReactElement {
  const across = (value: number): number => (48 * value) / most;
  return (
    <svg viewBox="-50 0 100 10" aria-hidden="true" className={adds < 0 ? 'am-less' : 'am-more'}>
      <line x1={0} x2={0} y1={0} y2={10} />
      <rect x={Math.min(across(adds), 0)} y={1.5} width={Math.abs(across(adds))} height={7} rx={1} />
      {within > 0 && (
        <line x1={across(adds - within)} x2={across(adds + within)} y1={5} y2={5} className="am-within" />
      )}
    </svg>
  );
}

function Likes({ row }: { row: RowExplanation }): ReactElement {
  const { words, format } = useApp();
  const examples = row.counterexamples;
  const { lines, more } = likes(row, MOST_LIKE);
  return (
    <>
      <p className="am-soft">{words.text('app.like.hint')}</p>
      <Scroll label={words.text('app.like')}>
        <table className="am-tight am-like">
          <thead>
            <tr>
              <td />
              <th scope="col">{words.text('app.like.this')}</th>
              {examples.map(example => (
                <th key={example.row} scope="col">
                  {words.text('app.like.row', { row: format.whole(example.row + 1) })}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr className="am-best">
              <th scope="row">{words.text('app.like.predicted')}</th>
              <td>
                <Cell value={row.value} />
              </td>
              {examples.map(example => (
                <td key={example.row}>
                  <Cell value={example.predicted} />
                </td>
              ))}
            </tr>
            <tr>
              <th scope="row">{words.text('app.like.truth')}</th>
              <td />
              {examples.map(example => (
                <td key={example.row}>
                  <Cell value={example.truth} />
                </td>
              ))}
            </tr>
            {lines.map(line => (
              <tr key={line.column}>
                <th scope="row">{line.column}</th>
                <td>
                  <Cell value={line.own} />
                </td>
                {line.others.map(({ cell, differs }, index) => (
                  <td key={index} className={differs ? '' : 'am-soft'}>
                    {differs ? (
                      <strong>
                        <Cell value={cell} />
                      </strong>
                    ) : (
                      <Cell value={cell} />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {more > 0 && <p className="am-soft">{words.text('app.like.more', { n: more })}</p>}
    </>
  );
}
