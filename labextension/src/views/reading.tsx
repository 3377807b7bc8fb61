/** The form that has a file read again in another way. */
import { useState, type ReactElement } from 'react';

import type { Dataset, ReadOptions } from '../core/contract';
import { plain } from '../core/format';
import type { Code } from '../core/words';
import { useApp } from './context';
import { Field } from './parts';

type Choice = readonly [value: string, code: Code];

const SEPARATORS: readonly Choice[] = [
  [',', 'pages.m_comma'],
  [';', 'pages.m_semicolon'],
  ['\t', 'pages.m_tab'],
  ['|', 'pages.m_bar'],
  [' ', 'pages.m_space']
];
const DECIMALS: readonly Choice[] = [
  ['.', 'pages.m_point'],
  [',', 'pages.m_comma']
];
const ORDERS: readonly Choice[] = [
  ['day', 'pages.m_day'],
  ['month', 'pages.m_month']
];
const ENCODINGS = ['utf-8', 'cp1252', 'mac-roman', 'utf-16', 'shift_jis', 'gb18030'];

interface ReadAgainProps {
  dataset: Dataset;
  busy: boolean;
  reread: (options: ReadOptions) => void;
}

export function ReadAgain({ dataset, busy, reread }: ReadAgainProps): ReactElement {
  const { words } = useApp();
  const [separator, setSeparator] = useState('');
  const [decimal, setDecimal] = useState('');
  const [order, setOrder] = useState('');
  const [encoding, setEncoding] = useState('');
  const [header, setHeader] = useState('');
  const options: ReadOptions = {
    ...(separator ? { separator } : {}),
    ...(decimal === '.' || decimal === ',' ? { decimal } : {}),
    ...(order ? { day_first: order === 'day' } : {}),
    ...(encoding.trim() ? { encoding: encoding.trim() } : {}),
    ...(/^\d+$/.test(header.trim()) ? { header: Number(header) - 1 } : {})
  };
  const told = dataset.dialect;
  return (
    <details className="am-card am-fold">
      <summary>{words.text('pages.read_again')}</summary>
      <p className="am-soft">{words.text('pages.read_again_intro')}</p>
      <form
        className="am-grid"
        onSubmit={event => {
          event.preventDefault();
          reread(options);
        }}
      >
        <Pick
          label={words.text('pages.f_separator')}
          value={separator}
          set={setSeparator}
          choices={SEPARATORS}
        />
        <Pick label={words.text('pages.f_decimal')} value={decimal} set={setDecimal} choices={DECIMALS} />
        <Pick label={words.text('pages.f_day_first')} value={order} set={setOrder} choices={ORDERS} />
        <Field label={words.text('pages.f_encoding')}>
          {id => (
            <>
              <input
                id={id}
                list={`${id}-list`}
                autoComplete="off"
                placeholder={plain(told.encoding)}
                value={encoding}
                onChange={event => setEncoding(event.target.value)}
              />
              <datalist id={`${id}-list`}>
                {ENCODINGS.map(name => (
                  <option key={name} value={name} />
                ))}
              </datalist>
            </>
          )}
        </Field>
        <Field label={words.text('pages.f_header')}>
          {id => (
            <input
              id={id}
              inputMode="numeric"
              autoComplete="off"
              placeholder={String(Number(told.header ?? 0) + 1)}
              value={header}
              onChange={event => setHeader(event.target.value)}
            />
          )}
        </Field>
        <div className="am-row am-wide">
          <button type="submit" disabled={busy || Object.keys(options).length === 0}>
            {words.text('pages.read_again')}
          </button>
        </div>
      </form>
    </details>
  );
}

interface PickProps {
  label: string;
  value: string;
  set: (value: string) => void;
  choices: readonly Choice[];
}

function Pick({ label, value, set, choices }: PickProps): ReactElement {
  const { words } = useApp();
  return (
    <Field label={label}>
      {id => (
        <select id={id} value={value} onChange={event => set(event.target.value)}>
          <option value="">{words.text('pages.leave')}</option>
          {choices.map(([choice, code]) => (
            <option key={choice} value={choice}>
              {words.text(code)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
