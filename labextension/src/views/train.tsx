/** What to learn, what should be known before, how much time; then it begins. */
import { useState, type ReactElement } from 'react';

import type { Dataset, Finding } from '../core/contract';
import { clock, secondsOf } from '../core/format';
import * as snippets from '../core/snippets';
import { request, type Choices } from '../core/training';
import { useAction, useApp, useLoad } from './context';
import { Advanced, Names } from './advanced';
import { FindingList, likely, useFindings } from './findings';
import { Await, Card, CopyAs, Field, Title, Trouble } from './parts';

const METRICS = [
  'roc_auc',
  'neg_log_loss',
  'average_precision',
  'neg_brier_score',
  'accuracy',
  'balanced_accuracy',
  'f1',
  'matthews_corrcoef',
  'f1_macro',
  'f1_weighted',
  'neg_root_mean_squared_error',
  'neg_mean_absolute_error',
  'neg_mean_absolute_percentage_error',
  'r2',
  'silhouette'
];

export function Train({ id }: { id: string }): ReactElement {
  const { api } = useApp();
  const load = useLoad<Dataset>(`dataset/${id}`, () =>
    api.get('get /api/datasets/{dataset_id}/', { path: { dataset_id: id } })
  );
  return <Await load={load}>{dataset => <Form dataset={dataset} />}</Await>;
}

/** By target, which findings are acted on; those that nobody decided on are where they are serious. */
type Acts = Readonly<Record<string, boolean>>;

function Form({ dataset }: { dataset: Dataset }): ReactElement {
  const app = useApp();
  const { words } = app;
  const action = useAction();
  const names = dataset.columns.map(column => column.name);
  const [choices, setChoices] = useState<Choices>({
    target: likely(dataset),
    metric: '',
    seconds: 60,
    name: '',
    groups: '',
    time: '',
    trials: '',
    seed: '0',
    excluded: []
  });
  const [time, setTime] = useState<string | null>(null);
  const [acts, setActs] = useState<Acts>({});
  const { target } = choices;
  const known = target === null || names.includes(target);
  const load = useFindings(dataset, target, known);
  const advice = load.value?.time_budget;
  const shown = time ?? clock(60);
  const seconds = time === null ? 60 : secondsOf(time);
  const acted = (load.value?.items ?? []).filter((item, index) => isActedOn(acts, item, key(target, index)));
  const body = request(dataset, { ...choices, seconds: seconds ?? 60 }, acted);
  const change = (some: Partial<Choices>): void => setChoices(before => ({ ...before, ...some }));
  return (
    <>
      <Title eyebrow={dataset.name}>{words.text('pages.train')}</Title>
      <form
        className="am-stack"
        onSubmit={event => {
          event.preventDefault();
          if (known && seconds !== null) action.run(() => app.train(dataset, body));
        }}
      >
        <Card title={words.text('app.train.what')}>
          <div className="am-grid">
            <Target names={names} value={target} set={value => change({ target: value })} />
            <Field label={words.text('notebook.train.metric')} hint={words.text('app.train.metric_hint')}>
              {(id, hint) => (
                <>
                  <input
                    id={id}
                    aria-describedby={hint}
                    list={`${id}-list`}
                    autoComplete="off"
                    placeholder={words.text('notebook.train.metric_default')}
                    value={choices.metric}
                    onChange={event => change({ metric: event.target.value })}
                  />
                  <datalist id={`${id}-list`}>
                    {METRICS.map(name => (
                      <option key={name} value={name} />
                    ))}
                  </datalist>
                </>
              )}
            </Field>
          </div>
        </Card>
        {known && (
          <Card title={words.text('pages.findings')}>
            <Await load={load}>
              {findings => (
                <FindingList
                  items={findings.items}
                  acted={(item, index) => isActedOn(acts, item, key(target, index))}
                  act={(index, on) => setActs(before => ({ ...before, [key(target, index)]: on }))}
                />
              )}
            </Await>
          </Card>
        )}
        <Card title={words.text('app.train.time')}>
          {advice && (
            <div className="am-row" role="group" aria-label={words.text('app.train.time_advice')}>
              {(
                [
                  ['app.train.quick', advice.quick],
                  ['app.train.usual', advice.usual],
                  ['app.train.thorough', advice.thorough]
                ] as const
              ).map(([code, value]) => (
                <button
                  key={code}
                  type="button"
                  aria-pressed={seconds === value}
                  onClick={() => setTime(String(value))}
                >
                  {words.text(code)} · {clock(value)}
                </button>
              ))}
            </div>
          )}
          <Field
            label={words.text('notebook.train.time')}
            hint={seconds === null ? words.text('app.train.time_unclear') : undefined}
          >
            {(id, hint) => (
              <input
                id={id}
                className="am-narrow"
                aria-describedby={hint}
                aria-invalid={seconds === null}
                autoComplete="off"
                value={time === null ? '60' : shown}
                onChange={event => setTime(event.target.value)}
              />
            )}
          </Field>
        </Card>
        <Advanced names={names} choices={choices} change={change} />
        <div className="am-row am-start">
          <button
            type="submit"
            className="am-primary am-large"
            disabled={!known || seconds === null || action.busy}
          >
            {words.text('app.train.start')}
          </button>
          {known && seconds !== null && (
            <CopyAs action={words.text('app.train.start')} snippets={snippets.train(dataset, body)} />
          )}
        </div>
        {action.problem && <Trouble problem={action.problem} />}
      </form>
    </>
  );
}

function key(target: string | null, index: number): string {
  return `${target ?? ''}\n${index}`;
}

function isActedOn(acts: Acts, item: Finding, place: string): boolean {
  return item.action !== null && (acts[place] ?? item.severity === 'serious');
}

interface TargetProps {
  names: string[];
  value: string | null;
  set: (value: string | null) => void;
}

function Target({ names, value, set }: TargetProps): ReactElement {
  const { words } = useApp();
  return (
    <Field label={words.text('notebook.train.target')} hint={words.text('app.train.target_hint')}>
      {(id, hint) => (
        <Names
          id={id}
          hint={hint}
          names={names}
          none={words.text('pages.no_target')}
          last
          value={value ?? ''}
          set={name => set(name === '' ? null : name)}
        />
      )}
    </Field>
  );
}
