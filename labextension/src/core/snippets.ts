/** Each action as a line of a magic, of Python and of a shell; what is copied runs. */
import { plain } from './format';
import type { Dataset, TrainRequest } from './contract';
import { learnt } from './training';

export interface Snippets {
  magic: string;
  Python: string;
  curl: string;
}

const PYTHON = 'from automl_jupyter.client import Client\n\nclient = Client()\n';
const CURL = 'curl -sS --fail -H "Authorization: token $JUPYTER_TOKEN"';

/** Taking in a file that lies beside whoever runs it. */
export function upload(source: string): Snippets {
  return {
    magic: `dataset = %automl upload ${quoted(source)}`,
    Python: `${PYTHON}dataset = client.upload(${literal(source)})`,
    curl: `${CURL} -F ${quoted(`file=@${source}`)} "${url('upload/')}"`
  };
}

/** Starting a training; fields that are left to the server are not in the request. */
export function train(dataset: Dataset, request: TrainRequest): Snippets {
  const { target = null, time_budget: budget = null, ...fields } = request;
  const words = ['train', dataset.id];
  if (target !== null) words.push('--target', target);
  if (budget !== null) words.push('--time', String(budget));
  for (const name of ['metric', 'task', 'name'] as const) {
    if (fields[name]) words.push(`--${name}`, fields[name]);
  }
  if (fields.seed) words.push('--seed', String(fields.seed));
  if (fields.columns) {
    const kept = new Set(fields.columns);
    for (const name of learnt(dataset, target)) if (!kept.has(name)) words.push('--exclude', name);
  }
  words.push(...typed(fields));
  const given = [dataset.id, ...(target === null ? [] : [target])].map(literal);
  const named = Object.entries({ ...(budget === null ? {} : { time_budget: budget }), ...fields });
  given.push(...named.map(([name, value]) => `${name}=${literal(value)}`));
  return {
    magic: `job = %automl ${joined(words)}`,
    Python: `${PYTHON}job = client.wait(client.train(${given.join(', ')}))`,
    curl: posted(`train/${dataset.id}/`, request)
  };
}

/** Ending a job or taking it up again. */
export function job(id: string, verb: 'stop' | 'cancel' | 'resume'): Snippets {
  return {
    magic: `%automl jobs ${id} --${verb}`,
    Python: `${PYTHON}job = client.${verb}(${literal(id)})`,
    curl: `${CURL} -X POST "${url(`jobs/${id}/${verb}/`)}"`
  };
}

/** Putting a version into service. */
export function promote(name: string, version: number): Snippets {
  return {
    magic: `%automl promote ${name} ${version}`,
    Python: `${PYTHON}client.promote(${literal(name)}, ${version})`,
    curl: posted(`models/${name}/promote/`, { version })
  };
}

/** Going back to the version that was in service before. */
export function rollback(name: string): Snippets {
  return {
    magic: `%automl rollback ${name}`,
    Python: `${PYTHON}client.rollback(${literal(name)})`,
    curl: `${CURL} -X POST "${url(`models/${name}/rollback/`)}"`
  };
}

/** Saying what a version has learnt. */
export function explain(name: string, version: number): Snippets {
  const reference = `${name}:${version}`;
  return {
    magic: `%automl explain ${reference}`,
    Python: `${PYTHON}explanation = client.explain(${literal(reference)})`,
    curl: `${CURL} "${url(`models/${name}/explain/?version=${version}`)}"`
  };
}

/** Saying how the answer to one row comes about. */
export function explainRow(name: string, version: number, row: Readonly<Record<string, unknown>>): Snippets {
  const reference = `${name}:${version}`;
  const cells = Object.values(row).map(value => plain(value));
  return {
    magic: [`%%automl explain ${reference}`, csv(Object.keys(row)), csv(cells)].join('\n'),
    Python: `${PYTHON}client.explain_rows(${literal(reference)}, [${literal(row)}]).rows`,
    curl: posted(`models/${name}/explain/?version=${version}`, { rows: [row] })
  };
}

/** Drawing a version: all that can be told of it. */
export function charts(name: string, version: number): Snippets {
  const reference = `${name}:${version}`;
  return {
    magic: `%automl charts ${reference}`,
    Python: `${PYTHON}charts = client.charts(${literal(reference)})`,
    curl: `${CURL} "${url(`models/${name}/charts/?version=${version}`)}"`
  };
}

/** Comparing two versions. */
export function compare(name: string, first: number, second: number): Snippets {
  return {
    magic: `%automl compare ${name} ${first} ${second}`,
    Python: `${PYTHON}client.compare(${literal(name)}, ${first}, ${second}).message`,
    curl: `${CURL} "${url(`models/${name}/compare/?versions=${first},${second}`)}"`
  };
}

/** Predicting one row. */
export function predictRow(
  name: string,
  version: number,
  dataset: string,
  row: Readonly<Record<string, unknown>>
): Snippets {
  const reference = `${name}:${version}`;
  const cells = Object.values(row).map(value => plain(value));
  return {
    magic: [`%%automl predict ${reference}`, csv(Object.keys(row)), csv(cells)].join('\n'),
    Python: `${PYTHON}client.predict(${literal(reference)}, [${literal(row)}]).predictions`,
    curl: posted(`test-model/${dataset}/${reference}/`, { rows: [row] })
  };
}

/** Predicting a file into another. */
export function predictFile(
  name: string,
  version: number,
  dataset: string,
  source: string,
  output: string
): Snippets {
  const reference = `${name}:${version}`;
  const place = url(`test-model/${dataset}/${reference}/`);
  return {
    magic: `%automl predict ${reference} ${quoted(source)} -o ${quoted(output)}`,
    Python: `${PYTHON}client.predict_csv(${[reference, source, output].map(literal).join(', ')})`,
    curl:
      `${CURL} -H 'Content-Type: text/csv' -H 'Accept: text/csv' ` +
      `--data-binary @${quoted(source)} "${place}" > ${quoted(output)}`
  };
}

function typed(fields: TrainRequest): string[] {
  const words: string[] = [];
  if (fields.groups) words.push('--groups', fields.groups);
  if (fields.time_column) words.push('--time-column', fields.time_column);
  if (fields.max_trials) words.push('--max-trials', String(fields.max_trials));
  if (fields.max_predict_ms) words.push('--max-ms', String(fields.max_predict_ms));
  if (fields.drop_duplicates) words.push('--drop-duplicates');
  for (const [column, values] of Object.entries(fields.missing_values ?? {})) {
    for (const value of values) words.push('--missing', `${column}=${value}`);
  }
  return words;
}

/** A value as Python writes it. */
function literal(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([name, inner]) => `${text(name)}: ${literal(inner)}`)
      .join(', ')}}`;
  }
  return plain(value);
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function text(value: string): string {
  const mark = value.includes("'") && !value.includes('"') ? '"' : "'";
  const escaped = value
    .replace(/[\\\n\r\t]/g, found => ESCAPES[found] ?? found)
    .replace(/[\0-\x1f\x7f-\xa0]/g, found => `\\x${found.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark;
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

function joined(words: readonly string[]): string {
  // IPython puts variables in where it sees braces, or a dollar that is not within single quotes.
  return words.map(quoted).join(' ').replaceAll('{', '{{').replaceAll('}', '}}');
}

function csv(cells: readonly string[]): string {
  const written = cells.map(cell => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell));
  return cells.length === 1 && cells[0] === '' ? '""' : written.join(',');
}

/** JSON with a blank after commas and colons. */
function json(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(json).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return `{${fields.map(([name, inner]) => `${JSON.stringify(name)}: ${json(inner)}`).join(', ')}}`;
  }
  return JSON.stringify(value);
}

function posted(path: string, body: object): string {
  return `${CURL} -H 'Content-Type: application/json' -d ${quoted(json(body))} "${url(path)}"`;
}

function url(path: string): string {
  return `$JUPYTER_URL/automl/api/${path}`;
}
