/** Asks a model about one row, of which each change is answered, and about files. */
import { useEffect, useRef, useState, type ReactElement } from 'react';

import { asProblem, versionOf } from '../core/app';
import { pause, type Problem } from '../core/api';
import { save } from '../core/clipboard';
import type { Model, ModelColumn, ModelVersion, Prediction, Predictions, Preview } from '../core/contract';
import { day, plain } from '../core/format';
import { cellOf, typedOf, type Typed } from '../core/rows';
import * as snippets from '../core/snippets';
import { useAction, useApp, useLoad } from './context';
import { Await, Card, CopyAs, Field, Title, Trouble } from './parts';
import { previewOf } from './rows';
import { modelOf } from './steps';
import { Otherwise, useExplanation, Why } from './why';

/** Fields that a form shows at first; of a wider table, the others stay empty. */
const MOST = 30;
/** Values that a field proposes. */
const PROPOSED = 50;
const YES_OR_NO = ['True', 'False'];
/** Milliseconds without a further change after which a row is asked about. */
const SETTLED = 60;

export function Predict({ name, wanted }: { name: string; wanted: number | undefined }): ReactElement {
  const app = useApp();
  const load = useLoad<Model>(`model/${name}`, () => modelOf(app, name));
  return (
    <Await load={load}>
      {model => {
        const version = versionOf(model, wanted);
        return version ? <Version key={version.version} model={model} version={version} /> : null;
      }}
    </Await>
  );
}

interface Both {
  model: Model;
  version: ModelVersion;
}

function Version({ model, version }: Both): ReactElement {
  const { api, words } = useApp();
  const id = version.dataset_id;
  const load = useLoad<Preview>(`preview/${id}`, () => previewOf(api, id));
  const serves = version.version === model.champion ? ` · ${words.text('cli.models.champion')}` : '';
  return (
    <>
      <Title
        eyebrow={`${model.name} · ${words.text('pages.version', { version: version.version })}${serves}`}
      >
        {model.target === null
          ? words.text('app.predict.title_group')
          : words.text('app.predict.title', { target: model.target })}
      </Title>
      <Await load={load}>{preview => <Row model={model} version={version} preview={preview} />}</Await>
      <Files model={model} version={version} />
    </>
  );
}

function Row({ model, version, preview }: Both & { preview: Preview }): ReactElement {
  const app = useApp();
  const { words } = app;
  const [typed, setTyped] = useState<Typed>(() => first(version.columns, preview, app.format.locale));
  const shown = version.columns.slice(0, MOST);
  const row = Object.fromEntries(
    shown.map(column => [column.name, cellOf(column.kind, typed[column.name] ?? '', app.format.locale)])
  );
  const answer = useAnswer({ model, version }, row);
  const asked = useExplanation(model, version, row);
  const copied = snippets.predictRow(model.name, version.version, version.dataset_id, row);
  return (
    <div className="am-split">
      <Card
        title={words.text('app.predict.row')}
        aside={<span className="am-hint">{words.text('app.predict.follows')}</span>}
      >
        <div className="am-grid">
          {shown.map(column => (
            <Cell
              key={column.name}
              column={column}
              value={typed[column.name] ?? ''}
              set={value => setTyped(before => ({ ...before, [column.name]: value }))}
            />
          ))}
        </div>
        {version.columns.length > MOST && (
          <p className="am-soft">
            {words.text('app.predict.more_columns', { n: version.columns.length - MOST })}
          </p>
        )}
        <CopyAs action={words.text('notebook.predict.row')} snippets={copied} />
      </Card>
      <div className="am-answer">
        <Card title={words.text('app.predict.answer')}>
          {answer.problem && <Trouble problem={answer.problem} />}
          {answer.value && <Answer answers={answer.value} />}
          {!answer.value && !answer.problem && <p className="am-hint">{words.text('app.loading')}</p>}
        </Card>
        {model.task !== 'clustering' && answer.value && <Why asked={asked} />}
      </div>
      <Otherwise asked={asked} />
    </div>
  );
}

type Cells = Record<string, string | number | boolean | null>;

/** The answer for a row, asked for anew with each change; an answer that is overtaken is dropped. */
function useAnswer(
  { model, version }: Both,
  row: Cells
): { value: Predictions | null; problem: Problem | null } {
  const { api } = useApp();
  const [state, setState] = useState<{ value: Predictions | null; problem: Problem | null }>({
    value: null,
    problem: null
  });
  const asked = JSON.stringify(row);
  const begun = useRef(false);
  const reference = `${model.name}:${version.version}`;
  useEffect(() => {
    const control = new AbortController();
    const ask = { path: { dataset_id: version.dataset_id, model: reference }, signal: control.signal };
    const rows = [JSON.parse(asked) as Cells];
    const answered = async (): Promise<void> => {
      if (begun.current) await pause(SETTLED, control.signal);
      begun.current = true;
      const value = await api.post('post /api/test-model/{dataset_id}/{model}/', { rows }, ask);
      setState({ value, problem: null });
    };
    answered().catch((error: unknown) => {
      if (!control.signal.aborted) setState(before => ({ ...before, problem: asProblem(error) }));
    });
    return () => control.abort();
  }, [api, asked, reference, version.dataset_id]);
  return state;
}

function Answer({ answers }: { answers: Predictions }): ReactElement | null {
  const { words, format } = useApp();
  const answer = answers.predictions[0];
  if (!answer) return null;
  return (
    <>
      <p className="am-value" aria-live="polite">
        {typeof answer.value === 'number' && !Number.isInteger(answer.value)
          ? format.short(answer.value, 5)
          : plain(answer.value)}
      </p>
      {answer.interval && (
        <p className="am-soft">
          {words.text('app.predict.interval', {
            low: format.short(answer.interval[0]),
            high: format.short(answer.interval[1])
          })}
        </p>
      )}
      {answer.probabilities && <Probabilities of={answer.probabilities} />}
      {[...answer.warnings, ...answers.notes].map(warning => (
        <p key={warning.code + warning.message} className="am-note">
          {warning.message}
        </p>
      ))}
      {answers.answered_by === 'fast' && <p className="am-soft">{words.text('app.predict.fast')}</p>}
    </>
  );
}

function Probabilities({ of }: { of: NonNullable<Prediction['probabilities']> }): ReactElement {
  const { format } = useApp();
  const ordered = Object.entries(of)
    .sort((one, other) => other[1] - one[1])
    .slice(0, 10);
  return (
    <ul className="am-bars">
      {ordered.map(([label, share]) => (
        <li key={label}>
          <span>{label}</span>
          <meter min={0} max={1} value={share} aria-label={label} />
          <span className="am-num">{format.percent(share, 1)}</span>
        </li>
      ))}
    </ul>
  );
}

function Cell({
  column,
  value,
  set
}: {
  column: ModelColumn;
  value: string;
  set: (value: string) => void;
}): ReactElement {
  const { format } = useApp();
  // Proposals of all fields together are the most that the screen would hold.
  const [visited, setVisited] = useState(false);
  const categories = column.kind === 'boolean' ? YES_OR_NO : column.categories;
  const hint = format.range(column.kind, column.minimum, column.maximum) || undefined;
  const numeric = column.kind === 'numeric';
  return (
    <Field label={column.name} hint={hint}>
      {(id, described) => (
        <>
          <input
            id={id}
            aria-describedby={described}
            autoComplete="off"
            inputMode={numeric ? 'decimal' : undefined}
            list={categories ? `${id}-list` : undefined}
            value={value}
            onFocus={() => setVisited(true)}
            onBlur={() => setVisited(false)}
            onChange={event => set(event.target.value)}
          />
          {categories && (
            <datalist id={`${id}-list`}>
              {visited && categories.slice(0, PROPOSED).map(name => <option key={name} value={name} />)}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

/** The first row of the table, to begin with. */
function first(columns: readonly ModelColumn[], preview: Preview, locale: string): Typed {
  const row = preview.rows[0] ?? [];
  const known = new Map(preview.columns.map((name, index) => [name, row[index]]));
  return Object.fromEntries(
    columns.map(({ name, kind }) => {
      const value = known.get(name);
      const text = kind === 'datetime' ? day(plain(value)) : plain(value);
      return [name, kind === 'numeric' ? typedOf(value, locale) : text];
    })
  );
}

function Files({ model, version }: Both): ReactElement {
  const { api, words } = useApp();
  const action = useAction();
  const [name, setName] = useState('');
  const path = { dataset_id: version.dataset_id, model: `${model.name}:${version.version}` };
  const predict = (file: File): void => {
    setName(file.name);
    action.run(async () => {
      const response = await api.send(
        'post /api/test-model/{dataset_id}/{model}/',
        { path },
        {
          body: file,
          headers: { 'Content-Type': 'text/csv', Accept: 'text/csv' }
        }
      );
      save(await response.blob(), `${file.name.replace(/\.\w+$/, '')}-predictions.csv`);
    });
  };
  return (
    <Card title={words.text('app.predict.file')}>
      <div className="am-row">
        <label className="am-file">
          <span>{words.text('app.predict.choose')}</span>
          <input
            type="file"
            accept=".csv,.tsv,.txt,text/csv"
            disabled={action.busy}
            onChange={event => {
              const file = event.target.files?.[0];
              if (file) predict(file);
              event.target.value = '';
            }}
          />
        </label>
        <span role="status" className="am-soft">
          {action.busy && words.text('notebook.doing.predicting')}
          {!action.busy && name && !action.problem && words.text('app.predict.saved', { name })}
        </span>
      </div>
      <p className="am-soft">{words.text('app.predict.file_hint')}</p>
      <CopyAs
        action={words.text('notebook.predict.write')}
        snippets={snippets.predictFile(
          model.name,
          version.version,
          version.dataset_id,
          name || 'rows.csv',
          'predictions.csv'
        )}
      />
      {action.problem && <Trouble problem={action.problem} />}
    </Card>
  );
}
