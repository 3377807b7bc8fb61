/** What screens are made of. */
import { useEffect, useId, useRef, useState, type ReactElement, type ReactNode } from 'react';

import { copyText } from '../core/clipboard';
import type { Load } from '../core/cache';
import type { Problem, Trouble as Kind } from '../core/api';
import type { Job } from '../core/contract';
import { written, type Route } from '../core/route';
import type { Snippets } from '../core/snippets';
import type { Code } from '../core/words';
import { useApp, useAppState } from './context';

interface CardProps {
  title: string;
  level?: 2 | 3;
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
}

/** A part of a screen with its heading. */
export function Card({ title, level = 2, aside, children, className = '' }: CardProps): ReactElement {
  const id = useId();
  const Heading = level === 2 ? 'h2' : 'h3';
  return (
    <section className={`am-card ${className}`} aria-labelledby={id}>
      <div className="am-card-head">
        <Heading id={id}>{title}</Heading>
        {aside}
      </div>
      {children}
    </section>
  );
}

const TROUBLES: Readonly<Record<Kind, Code | null>> = {
  offline: 'app.trouble.offline',
  login: 'app.trouble.login',
  forbidden: 'app.trouble.forbidden',
  absent: 'app.trouble.absent',
  refused: null
};

/** What went wrong, and the way on. */
export function Trouble({
  problem,
  again
}: {
  problem: Problem;
  again?: (() => void) | undefined;
}): ReactElement {
  const { words, host } = useApp();
  const code = TROUBLES[problem.trouble];
  const plain = code ? words.text(code) : words.text('app.trouble.unknown');
  return (
    <div className="am-trouble" role="alert">
      <p>
        {(problem.trouble === 'refused' || problem.trouble === 'forbidden') && problem.message
          ? problem.message
          : plain}
      </p>
      {problem.errors.length > 0 && (
        <ul>
          {problem.errors.map(error => (
            <li key={error.field + error.code}>{error.message}</li>
          ))}
        </ul>
      )}
      {problem.trouble === 'login' ? (
        <a className="am-button" href={host.login()}>
          {words.text('app.trouble.log_in')}
        </a>
      ) : (
        again && (
          <button type="button" className="am-button" onClick={again}>
            {words.text('app.trouble.again')}
          </button>
        )
      )}
    </div>
  );
}

/** What was asked for: itself, that it is on its way, or why it does not come. */
export function Await<T>({
  load,
  children
}: {
  load: Load<T> & { again: () => void };
  children: (value: T) => ReactNode;
}): ReactElement {
  const { words } = useApp();
  return (
    <>
      {load.problem && <Trouble problem={load.problem} again={load.again} />}
      {load.value !== undefined && children(load.value)}
      {load.value === undefined && !load.problem && (
        <div className="am-waiting" role="status">
          {load.progress === undefined ? (
            <span className="am-hint">{words.text('app.loading')}</span>
          ) : (
            <>
              <span className="am-hint">{words.text('app.computing')}</span>
              <progress value={load.progress} max={1} aria-label={words.text('app.computing')} />
            </>
          )}
        </div>
      )}
    </>
  );
}

/** A link to another screen. */
export function Go({
  to,
  children,
  className,
  current
}: {
  to: Route;
  children: ReactNode;
  className?: string;
  current?: boolean;
}): ReactElement {
  const app = useApp();
  return (
    <a
      href={`#/${written(to)}`}
      className={className}
      aria-current={current ? 'page' : undefined}
      onClick={event => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        app.go(to);
      }}
    >
      {children}
    </a>
  );
}

/** An action as code for elsewhere. */
export function CopyAs({ action, snippets }: { action: string; snippets: Snippets }): ReactElement {
  const { words } = useApp();
  const [copied, setCopied] = useState('');
  return (
    <span className="am-copy" role="group" aria-label={words.text('notebook.copy.label', { action })}>
      <span className="am-soft">{words.text('notebook.copy.as')}</span>
      {Object.entries(snippets).map(([kind, text]) => (
        <button
          key={kind}
          type="button"
          className="am-small"
          title={String(text)}
          onClick={() => void copyText(String(text)).then(() => setCopied(kind))}
        >
          {kind}
        </button>
      ))}
      <span role="status" className="am-soft">
        {copied && words.text('notebook.copy.done')}
      </span>
    </span>
  );
}

const STATES: Readonly<Record<Job['state'], Code>> = {
  queued: 'pages.state_queued',
  running: 'pages.state_running',
  done: 'pages.state_done',
  failed: 'pages.state_failed',
  stopped: 'pages.state_stopped',
  cancelled: 'pages.state_cancelled',
  interrupted: 'pages.state_interrupted'
};

/** The state of a job as a word. */
export function JobState({ state }: { state: Job['state'] }): ReactElement {
  const { words } = useApp();
  return <span className={`am-pill am-${state}`}>{words.text(STATES[state])}</span>;
}

interface FieldProps {
  label: string;
  hint?: string | undefined;
  wide?: boolean;
  children: (id: string, hint: string | undefined) => ReactNode;
}

/** A labelled field, with what helps to fill it in. */
export function Field({ label, hint, wide = false, children }: FieldProps): ReactElement {
  const id = useId();
  return (
    <div className={`am-field ${wide ? 'am-wide' : ''}`}>
      <label htmlFor={id}>{label}</label>
      {children(id, hint ? `${id}-hint` : undefined)}
      {hint && (
        <span id={`${id}-hint`} className="am-hint">
          {hint}
        </span>
      )}
    </div>
  );
}

/** A table that scrolls within itself, also by keyboard. */
export function Scroll({ label, children }: { label: string; children: ReactNode }): ReactElement {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="am-scroll" tabIndex={0} role="group" aria-label={label}>
      {children}
    </div>
  );
}

interface OnDemandProps {
  label: string;
  hint?: string;
  wanted: boolean;
  want: () => void;
  children: ReactNode;
}

/** What is asked for by a button, which it takes the place of; the focus of the button goes on to it. */
export function OnDemand({ label, hint, wanted, want, children }: OnDemandProps): ReactElement {
  const place = useRef<HTMLDivElement>(null);
  const pressed = useRef(false);
  useEffect(() => {
    if (wanted && pressed.current) place.current?.focus({ preventScroll: true });
    pressed.current = false;
  }, [wanted]);
  const press = (): void => {
    pressed.current = true;
    want();
  };
  if (!wanted) {
    return (
      <div className="am-row">
        <button type="button" onClick={press}>
          {label}
        </button>
        {hint && <span className="am-soft">{hint}</span>}
      </div>
    );
  }
  return (
    <div ref={place} tabIndex={-1} className="am-asked">
      {children}
    </div>
  );
}

interface PagesProps {
  from: number;
  step: number;
  total: number;
  turn: (from: number) => void;
  /** What the ways back and on are called. */
  ends?: readonly [back: Code, on: Code];
}

const ENDS = ['app.before', 'app.after'] as const;

/** What turns the pages of a long list; nothing where all of it is on one. */
export function Pages({ from, step, total, turn, ends = ENDS }: PagesProps): ReactElement | null {
  const { words, format } = useApp();
  if (total <= step) return null;
  return (
    <div className="am-row">
      <Turn to={from > 0 ? Math.max(0, from - step) : null} turn={turn}>
        {words.text(ends[0])}
      </Turn>
      <span className="am-soft">
        {format.whole(from + 1)}–{format.whole(Math.min(from + step, total))} / {format.whole(total)}
      </span>
      <Turn to={from + step < total ? from + step : null} turn={turn}>
        {words.text(ends[1])}
      </Turn>
    </div>
  );
}

/** A button that keeps the focus where there is no further page: a disabled one would lose it. */
function Turn({
  to,
  turn,
  children
}: {
  to: number | null;
  turn: (from: number) => void;
  children: ReactNode;
}): ReactElement {
  return (
    <button type="button" aria-disabled={to === null} onClick={() => to !== null && turn(to)}>
      {children}
    </button>
  );
}

/** Says things to screen readers, at most one at a time. */
export function Voice(): ReactElement {
  const { said } = useAppState();
  return (
    <div className="am-hidden" role="status">
      {said}
    </div>
  );
}

/** The heading of a screen, which has the focus when the screen comes up. */
export function Title({ children, eyebrow }: { children: ReactNode; eyebrow?: ReactNode }): ReactElement {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // Where nothing has the focus, such as on the first screen, nothing takes it; what went with the screen
    // before hands it on to this one.
    const root = heading.current?.closest('.am-app');
    if (moved(root)) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div className="am-title">
      {eyebrow && <p className="am-eyebrow">{eyebrow}</p>}
      <h1 ref={heading} tabIndex={-1}>
        {children}
      </h1>
    </div>
  );
}

/** A figure that stands out, with what it means. */
export function Figure({
  label,
  value,
  note
}: {
  label: string;
  value: string;
  note?: string;
}): ReactElement {
  return (
    <div className="am-figure">
      <dt>{label}</dt>
      <dd>
        <strong>{value}</strong>
        {note && <span className="am-soft">{note}</span>}
      </dd>
    </div>
  );
}

const SEEN = new WeakSet<Element>();

/** Whether an application has shown a screen before, and the focus is not somewhere else. */
function moved(root: Element | null | undefined): boolean {
  if (!root) return false;
  const before = SEEN.has(root);
  SEEN.add(root);
  return before && (root.contains(document.activeElement) || document.activeElement === document.body);
}
