/** Where a model is clearly weaker than elsewhere. */
import { useState, type ReactElement } from 'react';

import type { Explanation, Model, ModelVersion } from '../core/contract';
import { useApp, useLoad } from './context';
import { Await, Card, OnDemand } from './parts';

export function Weaknesses({ model, version }: { model: Model; version: ModelVersion }): ReactElement {
  const { api, words } = useApp();
  const [wanted, setWanted] = useState(false);
  const ask = { path: { name: model.name }, query: { version: version.version } };
  const load = useLoad<Explanation>(wanted ? `explain/${model.name}/${version.version}` : '', told =>
    api.study('get /api/models/{name}/explain/', ask, told)
  );
  return (
    <Card title={words.text('app.model.weak')}>
      <OnDemand label={words.text('app.model.look_for_weak')} wanted={wanted} want={() => setWanted(true)}>
        <Await load={load}>
          {explanation => (
            <>
              {explanation.segments.items.length === 0 && <p>{words.text('app.model.no_weakness')}</p>}
              <ul className="am-notes">
                {explanation.segments.items.map(item => (
                  <li key={item.message} className="am-warning">
                    <p>{item.message}</p>
                  </li>
                ))}
                {explanation.notes.map(note => (
                  <li key={note.message}>
                    <p>{note.message}</p>
                  </li>
                ))}
              </ul>
            </>
          )}
        </Await>
      </OnDemand>
    </Card>
  );
}
