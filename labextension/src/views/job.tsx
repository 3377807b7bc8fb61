/** A search for a model: how far it is, what competes, how it is ended. */
import { useEffect, useState, type ReactElement } from 'react';

import type { Job } from '../core/contract';
import { isOver, isResumable } from '../core/follow';
import { clock } from '../core/format';
import { runIn } from '../core/mlflow';
import * as snippets from '../core/snippets';
import type { Code } from '../core/words';
import { Board } from './board';
import { useAction, useApp, useAppState, useLoad } from './context';
import { OpenInMlflow } from './mlflow';
import { Await, Card, CopyAs, Go, JobState, Title, Trouble } from './parts';
import { jobOf } from './steps';

type Verb = 'stop' | 'cancel' | 'resume';

const VERBS: Readonly<Record<Verb, Code>> = {
  stop: 'notebook.job.stop',
  cancel: 'notebook.job.cancel',
  resume: 'notebook.job.resume'
};

const TASKS: Readonly<Record<Job['task'], Code>> = {
  binary: 'pages.task_binary',
  multiclass: 'pages.task_multiclass',
  regression: 'pages.task_regression',
  clustering: 'pages.task_clustering'
};

export function JobScreen({ id }: { id: string }): ReactElement {
  const app = useApp();
  const load = useLoad<Job>(`job/${id}`, () => jobOf(app, id));
  useEffect(() => {
    const look = (): void => (document.hidden ? app.leave() : app.watch(id));
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [app, id]);
  return <Await load={load}>{job => <Search job={job} />}</Await>;
}

function Search({ job }: { job: Job }): ReactElement {
  const { words, format } = useApp();
  const { away } = useAppState();
  const title =
    job.target === null ? words.text('pages.clusters') : words.text('app.job.title', { target: job.target });
  return (
    <>
      <Title eyebrow={`${words.text(TASKS[job.task])} · ${job.metric} · ${format.when(job.created)}`}>
        {title}
      </Title>
      {away && <Trouble problem={away} />}
      <Card title={words.text('app.job.how_far')} aside={<JobState state={job.state} />}>
        <Progress key={`${job.attempt}${job.state}`} job={job} />
        <Outlook job={job} />
        {job.error && (
          <div className="am-trouble" role="alert">
            <p>{job.error.message}</p>
          </div>
        )}
        {job.state === 'interrupted' && <p>{words.text('app.job.interrupted')}</p>}
        {job.model && (
          <p className="am-row">
            <Go to={{ screen: 'model', ...job.model }} className="am-button am-primary">
              {words.text('app.job.open_model')}
            </Go>
            <Go to={{ screen: 'predict', ...job.model }} className="am-button">
              {words.text('notebook.part.predict')}
            </Go>
            <span className="am-soft">
              {job.model.name} · {words.text('pages.version', { version: job.model.version })}
            </span>
          </p>
        )}
        <Verbs job={job} />
      </Card>
      <Card
        title={words.text('app.job.leaderboard')}
        aside={<OpenInMlflow place={pages => runIn(pages, job.mlflow_run_id)} />}
      >
        <Board job={job} />
      </Card>
    </>
  );
}

/** The deadline's bar; between what the server says, the clock goes on by itself. */
function Progress({ job }: { job: Job }): ReactElement {
  const { words } = useApp();
  const [since, setSince] = useState(0);
  const running = job.state === 'running';
  useEffect(() => {
    if (!running) return;
    const heard = Date.now();
    const timer = setInterval(() => setSince((Date.now() - heard) / 1000), 250);
    return () => {
      clearInterval(timer);
      setSince(0);
    };
  }, [running, job.elapsed]);
  const elapsed = Math.min(job.elapsed + (running ? since : 0), job.time_budget);
  const told = words.text('cli.job.time', { elapsed: clock(elapsed), budget: clock(job.time_budget) });
  return (
    <div className="am-deadline">
      <progress
        max={job.time_budget}
        value={job.state === 'queued' ? undefined : elapsed}
        aria-label={words.text('pages.progress')}
      />
      <span className="am-clock">{told}</span>
    </div>
  );
}

function Outlook({ job }: { job: Job }): ReactElement | null {
  const { words, format } = useApp();
  const { outlook } = job;
  if (!outlook) return null;
  return (
    <p className="am-soft">
      {words.text('app.job.outlook', {
        seconds: clock(outlook.seconds),
        gain: format.percent(outlook.gain, 1),
        low: format.percent(outlook.low, 1),
        high: format.percent(outlook.high, 1)
      })}
    </p>
  );
}

/** What can be done with a job now: one that waits for its turn cannot be stopped, only called off. */
function verbsOf(job: Job): readonly Verb[] {
  if (isOver(job)) return isResumable(job) ? ['resume'] : [];
  return job.state === 'queued' ? ['cancel'] : ['stop', 'cancel'];
}

function Verbs({ job }: { job: Job }): ReactElement {
  const app = useApp();
  const action = useAction();
  const verbs = verbsOf(job);
  return (
    <>
      {verbs.map(verb => (
        <div key={verb} className="am-row">
          <button type="button" disabled={action.busy} onClick={() => action.run(() => app.act(job, verb))}>
            {app.words.text(VERBS[verb])}
          </button>
          <CopyAs action={app.words.text(VERBS[verb])} snippets={snippets.job(job.id, verb)} />
        </div>
      ))}
      {action.problem && <Trouble problem={action.problem} />}
    </>
  );
}
