/** What should be known before training; each with the figures behind it, and whether it is acted on. */
import { useId, useState, type ReactElement } from 'react';

import type { Dataset, Finding, Findings } from '../core/contract';
import { plain } from '../core/format';
import type { Code } from '../core/words';
import { useApp, useLoad } from './context';
import { Pages } from './parts';

/** Findings on one page. */
const SHOWN = 20;

const SEVERITIES: Readonly<Record<Finding['severity'], Code>> = {
  serious: 'pages.severity_serious',
  warning: 'pages.severity_warning',
  info: 'pages.severity_info'
};

/** The column that is most likely to be predicted: it stands last in most tables. */
export function likely(dataset: Dataset): string | null {
  return dataset.columns.at(-1)?.name ?? null;
}

/** What is found in a table that is to be learnt from; it is asked for once it is wanted. */
export function useFindings(
  dataset: Dataset,
  target: string | null,
  wanted = true
): ReturnType<typeof useLoad<Findings>> {
  const { api } = useApp();
  const ask = { path: { dataset_id: dataset.id }, ...(target === null ? {} : { query: { target } }) };
  return useLoad<Findings>(wanted ? `findings/${dataset.id}/${target ?? ''}` : '', () =>
    api.get('get /api/datasets/{dataset_id}/findings/', ask)
  );
}

interface FindingListProps {
  items: readonly Finding[];
  acted: (item: Finding, index: number) => boolean;
  act: (index: number, on: boolean) => void;
}

export function FindingList({ items, acted, act }: FindingListProps): ReactElement {
  const { words } = useApp();
  const [from, setFrom] = useState(0);
  if (items.length === 0) return <p className="am-soft">{words.text('pages.nothing_found')}</p>;
  const start = from < items.length ? from : 0;
  return (
    <>
      <ul className="am-notes">
        {items.slice(start, start + SHOWN).map((item, place) => {
          const index = start + place;
          return (
            <One
              key={`${item.code}${index}`}
              item={item}
              on={acted(item, index)}
              act={on => act(index, on)}
            />
          );
        })}
      </ul>
      <Pages from={start} step={SHOWN} total={items.length} turn={setFrom} />
    </>
  );
}

function One({ item, on, act }: { item: Finding; on: boolean; act: (on: boolean) => void }): ReactElement {
  const { words, format } = useApp();
  const id = useId();
  const shown = (value: unknown): string => (typeof value === 'number' ? format.short(value) : plain(value));
  const evidence = Object.entries(item.evidence);
  return (
    <li className={`am-finding am-${item.severity}`}>
      <p id={id}>
        <span className={`am-pill am-${item.severity}`}>{words.text(SEVERITIES[item.severity])}</span>{' '}
        {item.message}
      </p>
      {item.action && (
        <label className="am-check">
          <input
            type="checkbox"
            checked={on}
            aria-describedby={id}
            onChange={event => act(event.target.checked)}
          />
          {words.text('notebook.train.act')}
        </label>
      )}
      {evidence.length > 0 && (
        <details>
          <summary aria-describedby={id}>{words.text('pages.evidence')}</summary>
          <dl className="am-pairs">
            {evidence.map(([name, value]) => (
              <div key={name}>
                <dt>
                  <code>{name}</code>
                </dt>
                <dd>{shown(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </li>
  );
}
