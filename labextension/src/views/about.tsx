/** Who is asking, what they may do, what the server allows, and which versions these are. */
import type { ReactElement } from 'react';

import type { User } from '../core/contract';
import { clock } from '../core/format';
import type { Code } from '../core/words';
import { useApp, useLoad } from './context';
import { OpenInMlflow } from './mlflow';
import { Await, Card, Title } from './parts';

const MAY: Readonly<Record<string, Code>> = {
  read: 'app.about.may_read',
  write: 'app.about.may_write',
  execute: 'app.about.may_execute'
};

export function About(): ReactElement {
  const { api, words, format, host } = useApp();
  const load = useLoad<User>('user', () => api.get('get /api/user/'));
  const pairs = (user: User): [string, string][] => [
    [words.text('app.about.name'), user.display_name],
    [words.text('app.about.known_by'), user.authenticated_by],
    [
      words.text('app.about.may'),
      allowed(user)
        .map(code => words.text(code))
        .join(', ') || '–'
    ],
    [words.text('app.about.largest_file'), format.bytes(user.limits.max_upload_bytes)],
    [words.text('app.about.most_rows'), format.whole(user.limits.max_predict_rows)],
    [
      words.text('app.about.time'),
      words.text('cli.user.times', {
        default: clock(user.limits.default_time_budget),
        most: clock(user.limits.max_time_budget)
      })
    ],
    [words.text('app.about.server_version'), user.version],
    [words.text('app.about.page_version'), host.version]
  ];
  return (
    <>
      <Title>{words.text('app.about')}</Title>
      <Await load={load}>
        {user => (
          <Card title={words.text('app.about.you')}>
            <dl className="am-pairs">
              {pairs(user).map(([name, value]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
          </Card>
        )}
      </Await>
      <Card title={words.text('app.about.more')}>
        <p>{words.text('pages.footer')}</p>
        <p>
          <a href={api.url('get /api/docs/')}>{words.text('pages.contract')}</a>
          {' · '}
          <a href={api.url('get /csv/')}>{words.text('app.plain_pages')}</a>
          {load.value?.mlflow_ui_url && ' · '}
          <OpenInMlflow place={pages => pages} />
        </p>
      </Card>
    </>
  );
}

function allowed(user: User): Code[] {
  return Object.values(user.permissions)
    .flat()
    .flatMap(action => MAY[action] ?? []);
}
