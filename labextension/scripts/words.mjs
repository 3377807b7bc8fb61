// Takes the sentences that the application shows out of the package's gettext catalogues, one JSON a language.
// A sentence is taken where its code stands in the source as a whole; a code without a sentence is an error.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HERE = join(import.meta.dirname, '..');
const LOCALE = join(HERE, '../automl_jupyter/locale');
const DOMAINS = ['app', 'cli', 'notebook', 'pages'];
const LANGUAGES = ['en', 'fr'];

function entries(text) {
  const found = new Map();
  for (const block of text.split(/\n\s*\n/)) {
    const fields = new Map();
    let field = null;
    for (const line of block.split('\n')) {
      const started = line.match(/^(msg\w+(?:\[\d\])?) (".*")$/);
      if (started) {
        field = started[1];
        fields.set(field, JSON.parse(started[2]));
      } else if (field && line.startsWith('"')) {
        fields.set(field, fields.get(field) + JSON.parse(line));
      }
    }
    const code = fields.get('msgid');
    if (code) {
      found.set(
        code,
        fields.has('msgid_plural') ? [fields.get('msgstr[0]'), fields.get('msgstr[1]')] : fields.get('msgstr')
      );
    }
  }
  return found;
}

// What did not change keeps its date, by which it is told whether anything has to be built again.
function write(name, text) {
  const path = join(HERE, 'src/core/words', name);
  if (!existsSync(path) || readFileSync(path, 'utf-8') !== text) writeFileSync(path, text);
}

function sources(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map(entry => readFileSync(join(entry.parentPath ?? entry.path, entry.name), 'utf-8'));
}

const LAB = 'app.lab.';
const labels = {};
const code = new RegExp(`'((?:${DOMAINS.join('|')})\\.[a-z_.]+)'`, 'g');
const used = new Set(
  sources(join(HERE, 'src')).flatMap(text => [...text.matchAll(code)].map(match => match[1]))
);
for (const language of LANGUAGES) {
  const known = new Map(
    DOMAINS.flatMap(domain => [
      ...entries(readFileSync(join(LOCALE, language, 'LC_MESSAGES', `${domain}.po`), 'utf-8'))
    ])
  );
  const missing = [...used].filter(name => !known.has(name));
  const unused = [...known.keys()].filter(name => name.startsWith('app.') && !used.has(name));
  if (missing.length || unused.length) {
    console.error(
      `${language}: without a sentence: ${missing.join(', ') || 'none'}; never shown: ${unused.join(', ') || 'none'}`
    );
    process.exit(1);
  }
  labels[language] = Object.fromEntries(
    [...used].filter(name => name.startsWith(LAB)).map(name => [name, known.get(name)])
  );
  const taken = Object.fromEntries([...used].sort().map(name => [name, known.get(name)]));
  write(`${language}.json`, `${JSON.stringify(taken, null, 1)}\n`);
}
// What JupyterLab shows before the application is opened.
write('lab.json', `${JSON.stringify(labels, null, 1)}\n`);
// So that the application can tell when the server is of another version.
const { version } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf-8'));
write('version.json', `${JSON.stringify({ version })}\n`);
