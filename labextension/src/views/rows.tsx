/** The first rows of a table. */
import type { ReactElement } from 'react';

import type { Preview } from '../core/contract';
import { plain } from '../core/format';
import { typedOf } from '../core/rows';
import { useApp, useLoad } from './context';
import { Await, Card, Scroll } from './parts';

const COLUMNS = 25;
const ROWS = 10;

export function Rows({ id }: { id: string }): ReactElement {
  const { api, words, format } = useApp();
  const load = useLoad<Preview>(`preview/${id}`, () => previewOf(api, id));
  return (
    <Card title={words.text('pages.first_rows')}>
      <Await load={load}>
        {preview => (
          <Scroll label={words.text('pages.first_rows')}>
            <table className="am-tight">
              <thead>
                <tr>
                  {preview.columns.slice(0, COLUMNS).map(name => (
                    <th key={name} scope="col" className="am-verbatim">
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {preview.rows.slice(0, ROWS).map((row, index) => (
                  <tr key={index}>
                    {row.slice(0, COLUMNS).map((cell, column) => (
                      <td key={column}>
                        {typeof cell === 'number' ? typedOf(cell, format.locale) : plain(cell)}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        )}
      </Await>
    </Card>
  );
}

export function previewOf(api: ReturnType<typeof useApp>['api'], id: string): Promise<Preview> {
  return api.get('get /api/datasets/{dataset_id}/preview/', { path: { dataset_id: id } });
}
