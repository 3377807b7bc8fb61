/** The whole application. */
import { useSyncExternalStore, type ReactElement } from 'react';

import type { App } from '../core/app';
import type { User } from '../core/contract';
import type { Route } from '../core/route';
import { About } from './about';
import { Boundary } from './boundary';
import { AppContext, useApp, useAppState, useLoad } from './context';
import { Data } from './data';
import { Home, Lists } from './home';
import { JobScreen } from './job';
import { ModelScreen } from './model';
import { Go, Voice } from './parts';
import { Predict } from './predict';
import { Steps } from './steps';
import { Train } from './train';

export function Main({ app }: { app: App }): ReactElement {
  const { route } = useSyncExternalStore(app.subscribe, app.snapshot);
  const { words } = app;
  const [Bar, Content] = app.host.alone ? (['header', 'main'] as const) : (['div', 'div'] as const);
  return (
    <AppContext.Provider value={app}>
      <div className="am-app" lang={words.language}>
        <Bar className="am-bar">
          <Go to={{ screen: 'home' }} className="am-brand" current={route.screen === 'home'}>
            <Mark />
            {words.text('pages.product')}
          </Go>
          <Steps route={route} />
          <nav aria-label={words.text('pages.navigation')} className="am-nav">
            <Go to={{ screen: 'about' }} current={route.screen === 'about'}>
              {words.text('app.about')}
            </Go>
          </nav>
        </Bar>
        <Content className="am-main" key={keyOf(route)}>
          <Versions />
          <Boundary>
            <Screen route={route} />
          </Boundary>
        </Content>
        <Voice />
      </div>
    </AppContext.Provider>
  );
}

/** What stands in JupyterLab's side panel: the lists alone. */
export function Side({ app }: { app: App }): ReactElement {
  return (
    <AppContext.Provider value={app}>
      <div className="am-app am-side" lang={app.words.language}>
        <Lists />
      </div>
    </AppContext.Provider>
  );
}

/** Another version of the same thing is the same screen: it keeps its focus. */
function keyOf(route: Route): string {
  if ('id' in route) return `${route.screen}/${route.id}`;
  return 'name' in route ? `${route.screen}/${route.name}` : route.screen;
}

function Screen({ route }: { route: Route }): ReactElement {
  switch (route.screen) {
    case 'home':
      return <Home />;
    case 'about':
      return <About />;
    case 'data':
      return <Data id={route.id} />;
    case 'train':
      return <Train id={route.id} />;
    case 'job':
      return <JobScreen id={route.id} />;
    case 'model':
      return <ModelScreen name={route.name} wanted={route.version} />;
    case 'predict':
      return <Predict name={route.name} wanted={route.version} />;
  }
}

/** A word of warning where the server is of another version than this program. */
function Versions(): ReactElement | null {
  const { api, host, words } = useApp();
  useAppState();
  const user = useLoad<User>('user', () => api.get('get /api/user/')).value;
  if (!user || user.version === host.version) return null;
  return (
    <p className="am-note" role="status">
      {words.text('app.versions_differ', { server: user.version, page: host.version })}
    </p>
  );
}

/** Three bars that rise to a point: models that compete. */
export function Mark(): ReactElement {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" className="am-mark">
      <rect x="3" y="13" width="4.5" height="8" rx="1.2" />
      <rect x="9.75" y="8" width="4.5" height="13" rx="1.2" />
      <rect x="16.5" y="11" width="4.5" height="10" rx="1.2" />
      <circle cx="12" cy="4" r="2.2" />
    </svg>
  );
}
