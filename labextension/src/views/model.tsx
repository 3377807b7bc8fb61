/** A model: how good it is, what it has learnt, which version serves. */
import { useState, type ReactElement } from 'react';

import { versionOf } from '../core/app';
import type { Model, ModelVersion } from '../core/contract';
import { versionIn } from '../core/mlflow';
import * as snippets from '../core/snippets';
import { useAction, useApp, useLoad } from './context';
import { Diagnostics, Meanings } from './charts';
import { Compare } from './compare';
import { Exports } from './exports';
import { Await, Card, CopyAs, Figure, Go, Scroll, Title, Trouble } from './parts';
import { OpenInMlflow } from './mlflow';
import { modelOf } from './steps';
import { Weaknesses } from './weaknesses';

export function ModelScreen({ name, wanted }: { name: string; wanted: number | undefined }): ReactElement {
  const app = useApp();
  const load = useLoad<Model>(`model/${name}`, () => modelOf(app, name));
  return (
    <Await load={load}>
      {model => {
        const version = versionOf(model, wanted);
        return version ? <Version model={model} version={version} /> : null;
      }}
    </Await>
  );
}

interface Both {
  model: Model;
  version: ModelVersion;
}

function Version({ model, version }: Both): ReactElement {
  const { words, format } = useApp();
  const serves = version.version === model.champion;
  const what =
    model.target === null
      ? words.text('pages.clusters')
      : words.text('cli.job.target', { target: model.target });
  return (
    <>
      <Title eyebrow={`${what} · ${format.when(version.created)}`}>{model.name}</Title>
      <div className="am-row am-lead">
        <Go
          to={{ screen: 'predict', name: model.name, version: version.version }}
          className="am-button am-primary"
        >
          {words.text('notebook.part.predict')}
        </Go>
        <span className={`am-pill ${serves ? 'am-done' : ''}`}>
          {words.text('pages.version', { version: version.version })}
          {serves && ` · ${words.text('cli.models.champion')}`}
        </span>
        <OpenInMlflow place={pages => versionIn(pages, version)} />
      </div>
      <Scores version={version} />
      <Versions model={model} version={version} />
      {model.task !== 'clustering' && <Compare key={`c${version.version}`} model={model} version={version} />}
      {model.task !== 'clustering' && (
        <Meanings key={`m${version.version}`} model={model} version={version} />
      )}
      <Diagnostics key={`d${version.version}`} model={model} version={version} />
      {model.task !== 'clustering' && (
        <Weaknesses key={`w${version.version}`} model={model} version={version} />
      )}
      <Exports key={`e${version.version}`} model={model} version={version} />
    </>
  );
}

/** The score with its interval, beside what is reached without looking at any column. */
function Scores({ version }: { version: ModelVersion }): ReactElement {
  const { words, format } = useApp();
  const { score, baseline_score: baseline } = version;
  const gain = score !== null && baseline !== null ? score - baseline : null;
  return (
    <Card title={words.text('app.model.how_good')}>
      <dl className="am-figures-row">
        <Figure label={version.metric} value={format.fixed(score)} note={format.interval(version.interval)} />
        <Figure
          label={words.text('pages.baseline')}
          value={format.fixed(baseline)}
          note={words.text('pages.is_baseline')}
        />
        {gain !== null && <Figure label={words.text('app.model.better_by')} value={format.signed(gain)} />}
      </dl>
      <p className="am-soft">{words.text('app.model.honest')}</p>
    </Card>
  );
}

function Versions({ model, version }: Both): ReactElement {
  const app = useApp();
  const { words, format } = app;
  const action = useAction();
  const { name } = model;
  const promote = (number: number): void =>
    action.run(async () => {
      await app.promote(name, number);
      app.say(words.text('app.model.now_serves', { version: number }));
    });
  const back = (): void =>
    action.run(async () => {
      await app.rollback(name);
      app.say(words.text('app.model.went_back'));
    });
  return (
    <Card title={words.text('app.model.versions')}>
      <Scroll label={words.text('notebook.caption.versions', { name })}>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.text('cli.models.version')}</th>
              <th scope="col" className="am-num">
                {words.text('pages.score')}
              </th>
              <th scope="col">{words.text('cli.models.interval')}</th>
              <th scope="col">{words.text('cli.jobs.created')}</th>
              <th scope="col">{words.text('pages.in_service')}</th>
            </tr>
          </thead>
          <tbody>
            {model.versions.slice(0, 50).map(one => (
              <tr key={one.version} className={one.version === version.version ? 'am-best' : ''}>
                <th scope="row">
                  <Go
                    to={{ screen: 'model', name, version: one.version }}
                    current={one.version === version.version}
                  >
                    {words.text('pages.version', { version: one.version })}
                  </Go>
                </th>
                <td className="am-num">{format.fixed(one.score)}</td>
                <td className="am-soft am-figures">{format.interval(one.interval)}</td>
                <td>{format.when(one.created)}</td>
                <td>
                  {one.version === model.champion ? (
                    <span className="am-pill am-done">{words.text('cli.models.champion')}</span>
                  ) : one.version === version.version ? (
                    '–'
                  ) : (
                    <button
                      type="button"
                      className="am-small"
                      disabled={action.busy}
                      aria-label={words.text('app.model.promote_version', { version: one.version })}
                      onClick={() => promote(one.version)}
                    >
                      {words.text('notebook.model.promote')}
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {version.version !== model.champion && (
        <div className="am-row">
          <button
            type="button"
            className="am-primary"
            disabled={action.busy}
            onClick={() => promote(version.version)}
          >
            {words.text('app.model.promote_version', { version: version.version })}
          </button>
          <CopyAs
            action={words.text('notebook.model.promote')}
            snippets={snippets.promote(name, version.version)}
          />
        </div>
      )}
      {model.versions.length > 1 && (
        <div className="am-row">
          <button type="button" disabled={action.busy} onClick={back}>
            {words.text('app.model.rollback')}
          </button>
          <CopyAs action={words.text('app.model.rollback')} snippets={snippets.rollback(name)} />
        </div>
      )}
      {action.problem && <Trouble problem={action.problem} />}
      <Remove model={model} />
    </Card>
  );
}

function Remove({ model }: { model: Model }): ReactElement {
  const app = useApp();
  const action = useAction();
  const [open, setOpen] = useState(false);
  const remove = (): void => action.run(() => app.remove(model.name));
  return (
    <details className="am-menu" open={open} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>{app.words.text('app.model.remove')}</summary>
      <p>{app.words.text('app.model.remove_sure')}</p>
      <button type="button" className="am-danger" disabled={action.busy} onClick={remove}>
        {app.words.text('app.model.remove_now')}
      </button>
      {action.problem && <Trouble problem={action.problem} />}
    </details>
  );
}
