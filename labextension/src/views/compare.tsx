/** Two versions on the same rows: which is better, and how sure that is. */
import { useState, type ReactElement } from 'react';

import { rivals } from '../core/compare';
import type { Comparison, Model, ModelVersion } from '../core/contract';
import * as snippets from '../core/snippets';
import { Range, type Scale } from './board';
import { useApp, useLoad } from './context';
import { Await, Card, CopyAs, Field, Scroll } from './parts';

interface Both {
  model: Model;
  version: ModelVersion;
}

export function Compare({ model, version }: Both): ReactElement | null {
  const { words } = useApp();
  const others = rivals(model, version.version);
  const [chosen, choose] = useState(others[0]?.version);
  const [asked, ask] = useState<number | null>(null);
  if (chosen === undefined) return null;
  return (
    <Card title={words.text('app.compare')}>
      <div className="am-asking">
        <Field label={words.text('app.compare.with', { version: version.version })}>
          {id => (
            <select id={id} value={chosen} onChange={event => choose(Number(event.target.value))}>
              {others.map(other => (
                <option key={other.version} value={other.version}>
                  {words.text('pages.version', { version: other.version })}
                  {other.version === model.champion && ` · ${words.text('cli.models.champion')}`}
                </option>
              ))}
            </select>
          )}
        </Field>
        <button type="button" onClick={() => ask(chosen)}>
          {words.text('app.compare.run')}
        </button>
        <CopyAs
          action={words.text('app.compare.run')}
          snippets={snippets.compare(model.name, chosen, version.version)}
        />
      </div>
      {asked !== null && <Compared key={asked} model={model} first={asked} second={version.version} />}
    </Card>
  );
}

function Compared({ model, first, second }: { model: Model; first: number; second: number }): ReactElement {
  const { api } = useApp();
  const versions = `${first},${second}`;
  const ask = { path: { name: model.name }, query: { versions } };
  const load = useLoad<Comparison>(`compare/${model.name}/${versions}`, told =>
    api.study('get /api/models/{name}/compare/', ask, told)
  );
  return (
    <Await load={load}>
      {found => (
        <>
          <div role="status">
            <p>
              <strong>{found.message}</strong>
            </p>
            <Sure found={found} />
          </div>
          <Figures model={model} found={found} />
        </>
      )}
    </Await>
  );
}

function Sure({ found }: { found: Comparison }): ReactElement | null {
  const { words, format } = useApp();
  const [low, high] = found.interval;
  if (found.difference === null || low === null || high === null) return null;
  const params = {
    difference: format.signed(found.difference),
    low: format.signed(low),
    high: format.signed(high)
  };
  return <p>{words.text('app.compare.sure', params)}</p>;
}

function Figures({ model, found }: { model: Model; found: Comparison }): ReactElement {
  const { words, format } = useApp();
  const [first, second] = found.versions;
  const lines = [
    { version: first, score: found.scores[0], interval: found.intervals[0] },
    { version: second, score: found.scores[1], interval: found.intervals[1] }
  ];
  const ends = lines.flatMap(line => [...line.interval, line.score]).filter(value => value !== null);
  const scale: Scale = ends.length ? [Math.min(...ends), Math.max(...ends)] : [0, 0];
  const label = words.text('app.compare.table', { first, second });
  return (
    <>
      <Scroll label={label}>
        <table className="am-compare">
          <thead>
            <tr>
              <th scope="col">{words.text('cli.models.version')}</th>
              <th scope="col" className="am-num am-verbatim">
                {found.metric}
              </th>
              <th scope="col" colSpan={2}>
                {words.text('cli.models.interval')}
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map(line => (
              <tr key={line.version}>
                <th scope="row">{words.text('pages.version', { version: line.version })}</th>
                <td className="am-num">{format.fixed(line.score)}</td>
                <td>
                  <Range trial={line} scale={scale} />
                </td>
                <td className="am-soft am-figures">{format.interval(line.interval)}</td>
              </tr>
            ))}
            <tr>
              <th scope="row">{words.text('app.compare.difference')}</th>
              <td className="am-num">{format.signed(found.difference)}</td>
              <td />
              <td className="am-soft am-figures">{format.span(found.interval, 4)}</td>
            </tr>
          </tbody>
        </table>
      </Scroll>
      {found.agreement !== null && (
        <p className="am-soft">
          {model.task === 'regression'
            ? words.text('app.compare.correlation', { share: format.fixed(found.agreement, 3) })
            : words.text('app.compare.same', { share: format.percent(found.agreement, 1) })}
        </p>
      )}
      {!found.same_table && (
        <p className="am-soft">{words.text('app.compare.new_rows', { version: second })}</p>
      )}
    </>
  );
}
