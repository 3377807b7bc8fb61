/** The first screen: bring in a file, and what there is already. */
import { useEffect, useRef, useState, type ReactElement, type ReactNode } from 'react';

import type { Load } from '../core/cache';
import type { Dataset, Job, Model } from '../core/contract';
import { isOver } from '../core/follow';
import { useApp, useLoad } from './context';
import { Drop } from './drop';
import { Await, Card, Go, JobState, Pages, Title } from './parts';

/** Milliseconds between two looks at a list in which something moves. */
const FRESH = 4000;
const BY_AGE = ['pages.newer', 'pages.older'] as const;

export function Home(): ReactElement {
  const { words } = useApp();
  return (
    <>
      <Title>{words.text('pages.home_title')}</Title>
      <p className="am-lead">{words.text('pages.home_intro')}</p>
      <Drop />
      <Lists />
    </>
  );
}

/** Data sets, jobs and models, each newest first. */
export function Lists(): ReactElement {
  return (
    <div className="am-lists">
      <Models />
      <Jobs />
      <Datasets />
    </div>
  );
}

interface Items<T> {
  items: T[];
  total: number;
  limit: number;
  offset: number;
}

interface ListProps<T> {
  title: string;
  none: string;
  name: string;
  fetch: (query: { limit: number; offset: number }) => Promise<Items<T>>;
  line: (item: T) => ReactNode;
  id: (item: T) => string;
  /** Whether something happens to it by itself. */
  moves?: (item: T) => boolean;
}

function List<T>({ title, none, name, fetch, line, id, moves }: ListProps<T>): ReactElement {
  const app = useApp();
  const [offset, setOffset] = useState(0);
  const query = app.page(offset);
  const load = useKept(useLoad(`${name}/${offset}`, () => fetch(query)));
  useFresh(load.value?.items.some(item => moves?.(item)) ?? false, load.again);
  return (
    <Card title={title}>
      <Await load={load}>
        {page => (
          <>
            {page.items.length === 0 && <p className="am-soft">{none}</p>}
            <ul className="am-list">
              {page.items.map(item => (
                <li key={id(item)}>{line(item)}</li>
              ))}
            </ul>
            <Pages from={page.offset} step={query.limit} total={page.total} turn={setOffset} ends={BY_AGE} />
          </>
        )}
      </Await>
    </Card>
  );
}

/** What was shown stays until what comes next is there: the page does not jump, and the focus is kept. */
function useKept<T, L extends Load<T>>(load: L): L {
  const [last, setLast] = useState(load.value);
  if (load.value !== undefined && load.value !== last) setLast(load.value);
  return last === undefined ? load : { ...load, value: load.value ?? last };
}

/** Ask again from time to time while something moves and somebody looks. */
function useFresh(moves: boolean, again: () => void): void {
  const latest = useRef(again);
  useEffect(() => {
    latest.current = again;
  });
  useEffect(() => {
    if (!moves) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) latest.current();
    }, FRESH);
    return () => clearInterval(timer);
  }, [moves]);
}

function Datasets(): ReactElement {
  const { api, words, format } = useApp();
  return (
    <List<Dataset>
      title={words.text('app.home.data')}
      none={words.text('pages.no_files')}
      name="datasets"
      fetch={query => api.get('get /api/datasets/', { query })}
      id={item => item.id}
      line={item => (
        <Go to={{ screen: 'data', id: item.id }} className="am-line">
          <strong>{item.name}</strong>
          <span className="am-soft">
            {words.text('cli.dataset.shape', { rows: item.rows, columns: item.columns.length })} ·{' '}
            {format.when(item.created)}
          </span>
        </Go>
      )}
    />
  );
}

function Jobs(): ReactElement {
  const { api, words, format } = useApp();
  return (
    <List<Job>
      title={words.text('pages.jobs')}
      none={words.text('pages.no_jobs')}
      name="jobs"
      fetch={query => api.get('get /api/jobs/', { query })}
      id={item => item.id}
      moves={item => !isOver(item)}
      line={item => (
        <Go to={{ screen: 'job', id: item.id }} className="am-line">
          <strong>{item.target ?? words.text('pages.clusters')}</strong>
          <span className="am-soft">
            <JobState state={item.state} /> {format.when(item.created)}
          </span>
        </Go>
      )}
    />
  );
}

function Models(): ReactElement {
  const { api, words, format } = useApp();
  const line = (item: Model): ReactNode => {
    const served = item.versions.find(version => version.version === item.champion) ?? item.versions[0];
    return (
      <Go to={{ screen: 'model', name: item.name }} className="am-line">
        <strong>{item.name}</strong>
        <span className="am-soft">
          {served && `${served.metric} ${format.fixed(served.score, 3)} · `}
          {item.champion === null
            ? words.text('app.model.none_in_service')
            : words.text('app.model.serves', { version: item.champion })}
        </span>
      </Go>
    );
  };
  return (
    <List<Model>
      title={words.text('pages.models')}
      none={words.text('pages.no_models')}
      name="models"
      fetch={query => api.get('get /api/models/', { query })}
      id={item => item.name}
      line={line}
    />
  );
}
