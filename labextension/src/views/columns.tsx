/** The columns of a table: what they hold, how they spread, and their types, which a person may change. */
import { useState, type ReactElement } from 'react';

import type { Column, Dataset, Profile, ReadOptions } from '../core/contract';
import { typedOf } from '../core/rows';
import type { Code } from '../core/words';
import { useApp, useLoad } from './context';
import { likely, useFindings } from './findings';
import { Card, Pages, Scroll } from './parts';
import { Spread, spreadOf } from './spread';

const SHOWN = 25;

type Type = Column['type'];

const TYPES: Readonly<Record<Type, Code>> = {
  string: 'pages.type_string',
  integer: 'pages.type_integer',
  number: 'pages.type_number',
  boolean: 'pages.type_boolean',
  datetime: 'pages.type_datetime'
};

const ROLES: Readonly<Record<Column['role'], Code>> = {
  numeric: 'cli.role.numeric',
  category: 'cli.role.category',
  boolean: 'cli.role.boolean',
  datetime: 'cli.role.datetime',
  text: 'cli.role.text',
  id: 'cli.role.id',
  constant: 'cli.role.constant',
  empty: 'cli.role.empty'
};

interface ColumnsProps {
  dataset: Dataset;
  busy: boolean;
  reread: (options: ReadOptions) => void;
}

export function Columns({ dataset, busy, reread }: ColumnsProps): ReactElement {
  const { api, words } = useApp();
  const [from, setFrom] = useState(0);
  const [changed, setChanged] = useState<Record<string, Type>>({});
  const path = { dataset_id: dataset.id };
  const profile = useLoad<Profile>(`profile/${dataset.id}`, () =>
    api.get('get /api/datasets/{dataset_id}/profile/', { path })
  );
  // Most look at a table in order to learn from it, and where it is wide that takes a while to prepare.
  useFindings(dataset, likely(dataset), profile.value !== undefined);
  const changes = Object.keys(changed).length;
  const total = dataset.columns.length;
  return (
    <Card title={words.text('notebook.data.columns', { n: total })}>
      <Scroll label={words.text('notebook.caption.columns', { name: dataset.name })}>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.text('pages.name')}</th>
              <th scope="col">{words.text('cli.columns.type')}</th>
              <th scope="col">{words.text('pages.type')}</th>
              <th scope="col">{words.text('app.data.spread')}</th>
              <th scope="col" className="am-num">
                {words.text('pages.missing')}
              </th>
              <th scope="col" className="am-num">
                {words.text('pages.distinct')}
              </th>
              <th scope="col">{words.text('pages.examples')}</th>
            </tr>
          </thead>
          <tbody>
            {dataset.columns.slice(from, from + SHOWN).map((column, index) => (
              <Line
                key={column.name}
                column={column}
                rows={dataset.rows}
                spread={spreadOf(profile.value?.columns[from + index])}
                type={changed[column.name] ?? column.type}
                choose={type => setChanged(known => chosen(known, column, type))}
              />
            ))}
          </tbody>
        </table>
      </Scroll>
      <Pages from={from} step={SHOWN} total={total} turn={setFrom} />
      {changes > 0 && (
        <div className="am-row" role="status">
          <button
            type="button"
            className="am-primary"
            disabled={busy}
            onClick={() => reread({ column_types: changed })}
          >
            {words.text('app.data.reread_types', { n: changes })}
          </button>
          <button type="button" onClick={() => setChanged({})}>
            {words.text('app.undo')}
          </button>
        </div>
      )}
    </Card>
  );
}

function chosen(known: Record<string, Type>, column: Column, type: Type): Record<string, Type> {
  const rest = Object.fromEntries(Object.entries(known).filter(([name]) => name !== column.name));
  return type === column.type ? rest : { ...rest, [column.name]: type };
}

interface LineProps {
  column: Column;
  rows: number;
  spread: ReturnType<typeof spreadOf>;
  type: Type;
  choose: (type: Type) => void;
}

function Line({ column, rows, spread, type, choose }: LineProps): ReactElement {
  const { words, format } = useApp();
  const share = rows ? column.missing / rows : 0;
  const examples = column.examples
    .slice(0, 4)
    .map(text => (column.type === 'number' ? typedOf(text, format.locale) : text));
  return (
    <tr className={type === column.type ? '' : 'am-changed'}>
      <th scope="row">{column.name}</th>
      <td>{words.text(ROLES[column.role])}</td>
      <td>
        <select
          aria-label={words.text('app.data.type_of', { name: column.name })}
          value={type}
          onChange={event => choose(event.target.value as Type)}
        >
          {Object.entries(TYPES).map(([value, code]) => (
            <option key={value} value={value}>
              {words.text(code)}
            </option>
          ))}
        </select>
      </td>
      <td>{spread && <Spread spread={spread} name={column.name} />}</td>
      <td className="am-num">
        {column.missing ? `${format.whole(column.missing)} (${format.percent(share, 1)})` : '–'}
      </td>
      <td className="am-num">{format.whole(column.distinct)}</td>
      <td className="am-soft am-examples">{examples.join(' · ')}</td>
    </tr>
  );
}
