/** The way to MLflow's own pages; nothing where their address is not configured, or MLflow was not told yet. */
import type { ReactElement } from 'react';

import type { User } from '../core/contract';
import { useApp, useLoad } from './context';

export function OpenInMlflow({
  place
}: {
  place: (pages: string | null) => string | null;
}): ReactElement | null {
  const { api, words } = useApp();
  const user = useLoad<User>('user', () => api.get('get /api/user/')).value;
  const address = place(user?.mlflow_ui_url ?? null);
  if (!address) return null;
  return (
    <a className="am-away" href={address} target="_blank" rel="noopener noreferrer">
      {words.text('app.mlflow.open')}
      <span className="am-hidden"> ({words.text('app.mlflow.new_tab')})</span>
    </a>
  );
}
