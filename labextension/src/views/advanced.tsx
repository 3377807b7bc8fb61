/** The choices that most trainings do without. */
import type { ReactElement } from 'react';

import type { Choices } from '../core/training';
import { useApp } from './context';
import { Field } from './parts';

/** Names that one list holds; of more, a part is proposed while somebody types. */
const MOST = 200;
const PROPOSED = 50;

interface NamesProps {
  id: string;
  hint?: string | undefined;
  names: readonly string[];
  none: string;
  last?: boolean;
  value: string;
  set: (name: string) => void;
}

/** A column, or none. */
export function Names({ id, hint, names, none, last = false, value, set }: NamesProps): ReactElement {
  if (names.length <= MOST) {
    const empty = <option value="">{none}</option>;
    return (
      <select id={id} aria-describedby={hint} value={value} onChange={event => set(event.target.value)}>
        {!last && empty}
        {names.map(name => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
        {last && empty}
      </select>
    );
  }
  const typed = value.toLowerCase();
  const proposed = names.filter(name => name.toLowerCase().includes(typed)).slice(0, PROPOSED);
  return (
    <>
      <input
        id={id}
        aria-describedby={hint}
        aria-invalid={value !== '' && !names.includes(value)}
        list={`${id}-list`}
        autoComplete="off"
        placeholder={none}
        value={value}
        onChange={event => set(event.target.value)}
      />
      <datalist id={`${id}-list`}>
        {proposed.map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  );
}

/** Columns by which rows may be divided, with their labels and what these mean. */
const DIVIDING = [
  ['groups', 'notebook.train.groups', 'app.train.groups_hint'],
  ['time', 'notebook.train.time_column', 'app.train.time_column_hint']
] as const;

interface AdvancedProps {
  names: readonly string[];
  choices: Choices;
  change: (some: Partial<Choices>) => void;
}

export function Advanced({ names, choices, change }: AdvancedProps): ReactElement {
  const { words } = useApp();
  const auto = words.text('notebook.train.auto');
  return (
    <details className="am-card am-fold">
      <summary>{words.text('notebook.train.advanced')}</summary>
      <div className="am-grid">
        <Field label={words.text('notebook.train.name')}>
          {id => (
            <input
              id={id}
              autoComplete="off"
              placeholder={auto}
              value={choices.name}
              onChange={event => change({ name: event.target.value })}
            />
          )}
        </Field>
        {DIVIDING.map(([name, label, explained]) => (
          <Field key={name} label={words.text(label)} hint={words.text(explained)}>
            {(id, hint) => (
              <Names
                id={id}
                hint={hint}
                names={names}
                none={words.text('notebook.train.none')}
                value={choices[name]}
                set={column => change({ [name]: column })}
              />
            )}
          </Field>
        ))}
        <Field label={words.text('notebook.train.trials')}>
          {id => (
            <input
              id={id}
              inputMode="numeric"
              autoComplete="off"
              placeholder={auto}
              value={choices.trials}
              onChange={event => change({ trials: event.target.value })}
            />
          )}
        </Field>
        <Field label={words.text('notebook.train.seed')}>
          {id => (
            <input
              id={id}
              inputMode="numeric"
              autoComplete="off"
              value={choices.seed}
              onChange={event => change({ seed: event.target.value })}
            />
          )}
        </Field>
        {names.length <= MOST && (
          <Field label={words.text('notebook.train.exclude')}>
            {id => (
              <select
                id={id}
                multiple
                size={5}
                value={[...choices.excluded]}
                onChange={event =>
                  change({ excluded: [...event.target.selectedOptions].map(option => option.value) })
                }
              >
                {names.map(name => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
      </div>
    </details>
  );
}
