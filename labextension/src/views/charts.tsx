/** Charts of a version, drawn by the host from what the server specifies; each has its table. */
import { useLayoutEffect, useRef, useState, useSyncExternalStore, type ReactElement } from 'react';

import type { Chart, Charts, Model, ModelVersion } from '../core/contract';
import { plain } from '../core/format';
import * as snippets from '../core/snippets';
import { useApp, useLoad } from './context';
import { Await, Card, CopyAs, Field, OnDemand, Scroll } from './parts';

const ROWS = 60;

interface Both {
  model: Model;
  version: ModelVersion;
}

function useCharts(
  { model, version }: Both,
  chart: Chart['name'] | '',
  wanted: boolean
): ReturnType<typeof useLoad<Charts>> {
  const { api, host } = useApp();
  // Colours are the server's: on another ground, charts are asked for anew.
  const theme = useSyncExternalStore(host.themed, host.theme);
  const ask = {
    path: { name: model.name },
    query: { version: version.version, theme, ...(chart ? { chart } : {}) }
  };
  return useLoad<Charts>(wanted ? `charts/${model.name}/${version.version}/${chart}/${theme}` : '', told =>
    api.study('get /api/models/{name}/charts/', ask, told)
  );
}

/** How good it is and where it errs: one chart at a time, so that the page stays light. */
export function Diagnostics(both: Both): ReactElement {
  const { words } = useApp();
  const load = useCharts(both, '', true);
  const chosen = useState(0);
  return (
    <Card title={words.text('app.model.charts')}>
      <Await load={load}>{charts => <Gallery items={charts.items} chosen={chosen} />}</Await>
      <CopyAs
        action={words.text('app.model.charts')}
        snippets={snippets.charts(both.model.name, both.version.version)}
      />
    </Card>
  );
}

/** What the columns are worth, and how the answer depends on one: asked for when somebody wants it. */
export function Meanings(both: Both): ReactElement {
  const { words } = useApp();
  const [wanted, setWanted] = useState(false);
  return (
    <Card title={words.text('app.model.meaning')}>
      <OnDemand
        label={words.text('app.model.explain')}
        hint={words.text('app.model.explain_hint')}
        wanted={wanted}
        want={() => setWanted(true)}
      >
        <MeaningCharts {...both} />
      </OnDemand>
      <CopyAs
        action={words.text('app.model.explain')}
        snippets={snippets.explain(both.model.name, both.version.version)}
      />
    </Card>
  );
}

function MeaningCharts(both: Both): ReactElement {
  const importance = useCharts(both, 'importance', true);
  const dependence = useCharts(both, 'dependence', importance.value !== undefined);
  const first = useState(0);
  const second = useState(0);
  return (
    <>
      <Await load={importance}>{charts => <Gallery items={charts.items} chosen={first} />}</Await>
      {importance.value && (
        <Await load={dependence}>{charts => <Gallery items={charts.items} chosen={second} />}</Await>
      )}
    </>
  );
}

/** One chart, and the choice of another; who shows it knows which is chosen, also while it is asked for anew. */
function Gallery({
  items,
  chosen: [place, setPlace]
}: {
  items: Chart[];
  chosen: [number, (place: number) => void];
}): ReactElement | null {
  const { words } = useApp();
  const shown = items[place] ?? items[0];
  if (!shown) return <p className="am-soft">{words.text('app.model.no_charts')}</p>;
  return (
    <>
      {items.length > 1 && (
        <Field label={words.text('app.model.chart')}>
          {id => (
            <select id={id} value={place} onChange={event => setPlace(Number(event.target.value))}>
              {items.map((item, index) => (
                <option key={index} value={index}>
                  {item.about ? `${item.title} · ${item.about}` : item.title}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Drawn key={`${shown.name}${shown.about ?? ''}`} chart={shown} />
    </>
  );
}

/** Figures stand below each other, and below what they are called. */
function alignment(value: unknown): string {
  return typeof value === 'number' ? 'am-num' : '';
}

function Drawn({ chart }: { chart: Chart }): ReactElement {
  const { host, words, format } = useApp();
  const place = useRef<HTMLDivElement>(null);
  const [failed, setFailed] = useState(false);
  const [open, setOpen] = useState(false);
  // Before its place goes: a widget of JupyterLab must still be where it was put when it is taken out.
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    let over = false;
    let remove: (() => void) | null = null;
    // The title stands above already.
    host.chart({ ...chart.spec, title: '' }, element).then(
      done => {
        if (over) done();
        else remove = done;
      },
      () => setFailed(true)
    );
    return () => {
      over = true;
      remove?.();
    };
  }, [chart, host]);
  const first = chart.table.rows[0] ?? [];
  const cell = (value: unknown): string => (typeof value === 'number' ? format.short(value) : plain(value));
  return (
    <figure className="am-chart">
      <figcaption>
        <strong>{chart.title}</strong>
        <p>{chart.sentence}</p>
      </figcaption>
      {failed ? (
        <p className="am-soft">{words.text('app.model.chart_failed')}</p>
      ) : (
        <div ref={place} className="am-canvas" role="img" aria-label={`${chart.title}. ${chart.sentence}`} />
      )}
      <details open={open || failed} onToggle={event => setOpen(event.currentTarget.open)}>
        <summary>{words.text('app.model.chart_table')}</summary>
        {(open || failed) && (
          <Scroll label={chart.title}>
            <table className="am-tight">
              <thead>
                <tr>
                  {chart.table.columns.map((name, column) => (
                    <th key={name} scope="col" className={`am-verbatim ${alignment(first[column])}`}>
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {chart.table.rows.slice(0, ROWS).map((row, index) => (
                  <tr key={index}>
                    {row.map((value, column) => (
                      <td key={column} className={alignment(value)}>
                        {cell(value)}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        )}
      </details>
    </figure>
  );
}
