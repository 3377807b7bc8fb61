/** The way from a file to an answer: where one is on it, and what can be reached from here. */
import type { ReactElement } from 'react';

import { versionOf, type App } from '../core/app';
import type { Job, Model } from '../core/contract';
import type { Route } from '../core/route';
import type { Code } from '../core/words';
import { useApp, useLoad } from './context';
import { Go } from './parts';

const STEPS: readonly (readonly [Route['screen'], Code])[] = [
  ['data', 'notebook.part.data'],
  ['train', 'notebook.part.train'],
  ['job', 'notebook.part.job'],
  ['model', 'notebook.part.model'],
  ['predict', 'notebook.part.predict']
];

type Chain = Partial<Record<Route['screen'], Route>>;

export function Steps({ route }: { route: Route }): ReactElement | null {
  const app = useApp();
  const jobId = route.screen === 'job' ? route.id : '';
  const name = route.screen === 'model' || route.screen === 'predict' ? route.name : '';
  const job = useLoad<Job>(jobId && `job/${jobId}`, () => jobOf(app, jobId)).value;
  const model = useLoad<Model>(name && `model/${name}`, () => modelOf(app, name)).value;
  if (route.screen === 'home' || route.screen === 'about') return null;
  const reach = chain(route, job, model);
  return (
    <nav className="am-steps" aria-label={app.words.text('app.steps')}>
      <ol>
        {STEPS.map(([screen, code]) => {
          const to = reach[screen];
          const here = screen === route.screen;
          return (
            <li key={screen} className={here ? 'am-here' : ''}>
              {to ? (
                <Go to={to} current={here}>
                  {app.words.text(code)}
                </Go>
              ) : (
                <span>{app.words.text(code)}</span>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

function chain(route: Route, job: Job | undefined, model: Model | undefined): Chain {
  const all: Chain = {};
  if (route.screen === 'data' || route.screen === 'train') ofData(all, route.id);
  if (route.screen === 'job') {
    all.job = route;
    if (job) ofData(all, job.dataset_id);
    if (job?.model) ofModel(all, job.model.name, job.model.version);
  }
  if (route.screen === 'model' || route.screen === 'predict') {
    const version = model && versionOf(model, route.version);
    ofModel(all, route.name, version?.version);
    if (version) {
      ofData(all, version.dataset_id);
      all.job = { screen: 'job', id: version.job_id };
    }
  }
  return all;
}

function ofData(all: Chain, id: string): void {
  all.data = { screen: 'data', id };
  all.train = { screen: 'train', id };
}

function ofModel(all: Chain, name: string, version: number | undefined): void {
  const place = version === undefined ? { name } : { name, version };
  all.model = { screen: 'model', ...place };
  all.predict = { screen: 'predict', ...place };
}

export function jobOf(app: App, id: string): Promise<Job> {
  return app.api.get('get /api/jobs/{job_id}/', { path: { job_id: id } });
}

export function modelOf(app: App, name: string): Promise<Model> {
  return app.api.get('get /api/models/{name}/', { path: { name } });
}
