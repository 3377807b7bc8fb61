/** A table that was taken in: how it was read, its columns, its first rows. */
import { useState, type ReactElement } from 'react';

import type { Dataset, Notice, ReadOptions } from '../core/contract';
import { useAction, useApp, useLoad, type Action } from './context';
import { Columns } from './columns';
import { Rows } from './rows';
import { ReadAgain } from './reading';
import { Await, Card, Go, Pages, Title, Trouble } from './parts';

/** Remarks on one page. */
const NOTED = 20;

export function Data({ id }: { id: string }): ReactElement {
  const { api } = useApp();
  const load = useLoad<Dataset>(`dataset/${id}`, () =>
    api.get('get /api/datasets/{dataset_id}/', { path: { dataset_id: id } })
  );
  return <Await load={load}>{dataset => <Table dataset={dataset} />}</Await>;
}

function Table({ dataset }: { dataset: Dataset }): ReactElement {
  const app = useApp();
  const { words, format } = app;
  const action = useAction();
  const reread = (options: ReadOptions): void =>
    action.run(async () => {
      const path = { dataset_id: dataset.id };
      app.took(await app.api.post('post /api/datasets/{dataset_id}/reread/', options, { path }));
    });
  const shape = words.text('cli.dataset.shape', { rows: dataset.rows, columns: dataset.columns.length });
  return (
    <>
      <Title eyebrow={`${shape} · ${format.bytes(dataset.bytes)} · ${format.when(dataset.created)}`}>
        {dataset.name}
      </Title>
      <div className="am-row am-lead">
        <Go to={{ screen: 'train', id: dataset.id }} className="am-button am-primary">
          {words.text('pages.train')}
        </Go>
        {dataset.parent && (
          <Go to={{ screen: 'data', id: dataset.parent }}>{words.text('pages.first_reading')}</Go>
        )}
        <Remove dataset={dataset} />
      </div>
      {action.problem && <Trouble problem={action.problem} />}
      {dataset.warnings.length > 0 && <Warnings items={dataset.warnings} action={action} reread={reread} />}
      <Columns dataset={dataset} busy={action.busy} reread={reread} />
      <Rows id={dataset.id} />
      <ReadAgain dataset={dataset} busy={action.busy} reread={reread} />
    </>
  );
}

interface WarningsProps {
  items: Notice[];
  action: Action;
  reread: (options: ReadOptions) => void;
}

function Warnings({ items, action, reread }: WarningsProps): ReactElement {
  const { words } = useApp();
  const [from, setFrom] = useState(0);
  return (
    <Card title={words.text('pages.warnings')}>
      <ul className="am-notes">
        {items.slice(from, from + NOTED).map((item, index) => (
          <li key={from + index} className="am-warning">
            <p>{item.message}</p>
            {item.action && (
              <button type="button" disabled={action.busy} onClick={() => reread(item.action as ReadOptions)}>
                {words.text('pages.other_way')}
              </button>
            )}
          </li>
        ))}
      </ul>
      <Pages from={from} step={NOTED} total={items.length} turn={setFrom} />
    </Card>
  );
}

function Remove({ dataset }: { dataset: Dataset }): ReactElement {
  const app = useApp();
  const action = useAction();
  const remove = (): void =>
    action.run(async () => {
      await app.api.send('delete /api/datasets/{dataset_id}/', { path: { dataset_id: dataset.id } });
      app.cache.forget('datasets/');
      app.go({ screen: 'home' });
    });
  return (
    <details className="am-menu">
      <summary>{app.words.text('app.data.remove')}</summary>
      <p>{app.words.text('app.data.remove_sure')}</p>
      <button type="button" className="am-danger" disabled={action.busy} onClick={remove}>
        {app.words.text('app.data.remove_now')}
      </button>
      {action.problem && <Trouble problem={action.problem} />}
    </details>
  );
}
