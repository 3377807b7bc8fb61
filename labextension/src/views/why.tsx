/** How the answer for one row comes about. */
import { useState, type ReactElement } from 'react';

import type { Contribution, Model, ModelVersion, RowExplanations } from '../core/contract';
import { day, plain } from '../core/format';
import { useApp, useLoad } from './context';
import { Await, Card } from './parts';

const MOST = 10;
/** Characters of a value that do not break, as many as a date has. */
const SHORT = 10;

interface WhyProps {
  model: Model;
  version: ModelVersion;
  row: Record<string, string | number | boolean | null>;
}

export function Why({ model, version, row }: WhyProps): ReactElement {
  const { api, words } = useApp();
  const [wanted, setWanted] = useState(false);
  const asked = JSON.stringify(row);
  const ask = { path: { name: model.name }, query: { version: version.version } };
  const load = useLoad<RowExplanations>(wanted ? `why/${model.name}/${version.version}/${asked}` : '', () =>
    api.post('post /api/models/{name}/explain/', { rows: [row], counterexamples: 0 }, ask)
  );
  return (
    <Card title={words.text('app.predict.why')}>
      {wanted ? (
        <Await load={load}>{answer => <Adds answer={answer} />}</Await>
      ) : (
        <button type="button" onClick={() => setWanted(true)}>
          {words.text('app.predict.explain')}
        </button>
      )}
    </Card>
  );
}

/** A value, which stays on one line where it is short. */
function Is({ text }: { text: string }): ReactElement {
  return <span className={text.length <= SHORT ? 'am-figures' : ''}>= {text}</span>;
}

/** What each column adds, compared to usual rows: to the predicted class, or to the quantity. */
function Adds({ answer }: { answer: RowExplanations }): ReactElement | null {
  const { words, format } = useApp();
  const row = answer.rows[0];
  if (!row) return null;
  const found = answer.outputs.findIndex(output => String(output) === String(row.value));
  const output = Math.max(found, 0);
  // With two classes there is one output, for the second; what speaks against it speaks for the first.
  const against = answer.outputs.length === 1 && answer.scale === 'log_odds' && found < 0;
  const adds = (item: Contribution): number => (item.adds[output] ?? 0) * (against ? -1 : 1);
  const ordered = [...row.contributions]
    .sort((one, other) => Math.abs(adds(other)) - Math.abs(adds(one)))
    .slice(0, MOST);
  const cell = (value: Contribution['cell']): string =>
    typeof value === 'number' && !Number.isInteger(value) ? format.short(value) : day(plain(value ?? '–'));
  const most = Math.max(...ordered.map(item => Math.abs(adds(item))), 1e-12);
  return (
    <>
      <p className="am-soft">
        {answer.scale === 'target'
          ? words.text('app.predict.adds_quantity')
          : words.text('app.predict.adds_class', { value: String(row.value) })}
      </p>
      <ul className="am-adds">
        {ordered.map(item => {
          const value = adds(item);
          return (
            <li key={item.column}>
              <span>
                {item.column} <Is text={cell(item.cell)} />
              </span>
              <svg viewBox="-50 0 100 10" aria-hidden="true" className={value < 0 ? 'am-less' : 'am-more'}>
                <line x1={0} x2={0} y1={0} y2={10} />
                <rect
                  x={value < 0 ? (48 * value) / most : 0}
                  y={1.5}
                  width={Math.abs((48 * value) / most)}
                  height={7}
                  rx={1}
                />
              </svg>
              <span className="am-num">
                {value > 0 ? '+' : ''}
                {format.short(value, 3)}
              </span>
            </li>
          );
        })}
      </ul>
    </>
  );
}
