/** The leaderboard: scores, intervals on one scale, ties, the baseline. */
import { useEffect, useRef, useState, type ReactElement } from 'react';

import type { Job, Trial } from '../core/contract';
import { isOver } from '../core/follow';
import type { Code, Words } from '../core/words';
import { useApp } from './context';
import { Pages, Scroll } from './parts';

const WIDTH = 140;
const MIDDLE = 8;
/** Lines on one page of the board. */
const SHOWN = 50;
/** Models that a line names. */
const NAMED = 6;

const ENDS: Readonly<Record<Trial['state'], Code>> = {
  done: 'cli.trial.done',
  failed: 'cli.trial.failed',
  skipped: 'cli.trial.skipped'
};

export type Scale = readonly [from: number, to: number];

export function Board({ job }: { job: Job }): ReactElement {
  const { words } = useApp();
  const [from, setFrom] = useState(0);
  const scored = job.leaderboard.filter(trial => trial.score !== null);
  useTold(job, scored);
  if (job.leaderboard.length === 0) return <p className="am-soft">{words.text('app.job.no_model_yet')}</p>;
  const over = isOver(job);
  const scale = scaleOf(scored);
  const ranked = scored.map((trial, index) => ({ trial, place: index + 1 }));
  const start = from < ranked.length ? from : 0;
  // The baseline stands on every page, so that each can be compared with it.
  const shown = ranked.filter(
    ({ trial, place }) => trial.baseline || (place > start && place <= start + SHOWN)
  );
  return (
    <>
      <Scroll label={words.text('notebook.caption.leaderboard')}>
        <table className="am-board">
          <caption>{words.text('pages.leaderboard_caption', { metric: job.metric })}</caption>
          <thead>
            <tr>
              <th scope="col" className="am-num">
                <span className="am-hidden">{words.text('app.job.place')}</span>
              </th>
              <th scope="col">{words.text('pages.candidate')}</th>
              <th scope="col" className="am-num">
                {words.text('pages.score')}
              </th>
              <th scope="col" colSpan={2}>
                {words.text('cli.models.interval')}
              </th>
              <th scope="col" className="am-num">
                {words.text('cli.board.fit')}
              </th>
              <th scope="col" className="am-num">
                {words.text('cli.board.predict')}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ trial, place }) => (
              <Line key={trial.name} trial={trial} place={place} over={over} scale={scale} />
            ))}
          </tbody>
        </table>
      </Scroll>
      <Pages from={start} step={SHOWN} total={ranked.length} turn={setFrom} />
      {over && scored.slice(1).some(trial => trial.tied_with_best) && (
        <p className="am-soft">≈ {words.text('cli.board.tied')}</p>
      )}
      {missed(job).map(([reason, names]) => (
        <Missed key={reason} reason={reason} names={names} />
      ))}
    </>
  );
}

interface LineProps {
  trial: Trial;
  place: number;
  over: boolean;
  scale: Scale;
}

function Line({ trial, place, over, scale }: LineProps): ReactElement {
  const { words, format } = useApp();
  // Which models are tied is known when the last has its score.
  const tied = over && trial.tied_with_best && place > 1;
  const baseline = words.text('cli.board.baseline');
  return (
    <tr className={trial.baseline ? 'am-baseline' : place === 1 ? 'am-best' : ''}>
      <td className="am-num am-soft">{place}</td>
      <th scope="row">
        {trial.name}
        {trial.baseline && trial.name !== baseline && <em className="am-soft"> {baseline}</em>}
      </th>
      <td className="am-num">
        {place === 1 && <span title={words.text('app.job.best')}>★ </span>}
        {tied && <span title={words.text('cli.board.tied')}>≈ </span>}
        {format.fixed(trial.score)}
      </td>
      <td>
        <Range trial={trial} scale={scale} />
      </td>
      <td className="am-soft am-figures">{format.interval(trial.interval)}</td>
      <td className="am-num am-soft">{format.seconds(trial.fit_seconds)}</td>
      <td className="am-num am-soft">{format.seconds(trial.predict_seconds)}</td>
    </tr>
  );
}

/** A picture of an interval; the figures beside it say the same. */
export function Range({
  trial,
  scale
}: {
  trial: Pick<Trial, 'score' | 'interval'>;
  scale: Scale;
}): ReactElement | null {
  const [low, high] = trial.interval ?? [null, null];
  const [from, to] = scale;
  if (low === null || high === null || trial.score === null || to <= from || high < from) return null;
  const across = (value: number): number => WIDTH * Math.min(Math.max((value - from) / (to - from), 0), 1);
  return (
    <svg className="am-range" viewBox={`-4 0 ${WIDTH + 8} ${2 * MIDDLE}`} aria-hidden="true">
      <line x1={0} x2={WIDTH} y1={MIDDLE} y2={MIDDLE} className="am-axis" />
      <line x1={across(low)} x2={across(high)} y1={MIDDLE} y2={MIDDLE} />
      <circle cx={across(trial.score)} cy={MIDDLE} r={3.5} />
    </svg>
  );
}

/** From where to where the pictures reach: the models; a baseline far away is shown at the edge. */
function scaleOf(trials: readonly Trial[]): Scale {
  const ends = trials
    .filter(trial => !trial.baseline)
    .flatMap(trial => [...(trial.interval ?? []), trial.score])
    .filter(value => value !== null);
  return ends.length ? [Math.min(...ends), Math.max(...ends)] : [0, 0];
}

/** Models that came to nothing for one reason; of many, the names stand in a fold. */
function Missed({ reason, names }: { reason: string; names: readonly string[] }): ReactElement {
  const { words } = useApp();
  const line = words.text('cli.board.missed', { names: some(names, words), reason: said(reason, words) });
  if (names.length <= NAMED) return <p className="am-soft">{line}</p>;
  return (
    <details className="am-soft">
      <summary>{line}</summary>
      <p>{names.join(', ')}</p>
    </details>
  );
}

function some(names: readonly string[], words: Words): string {
  const rest = names.length - NAMED;
  const named = names.slice(0, NAMED).join(', ');
  return rest > 0 ? `${named} ${words.text('cli.board.more', { n: rest })}` : named;
}

function said(reason: string, words: Words): string {
  return isEnd(reason) ? words.text(ENDS[reason]) : reason;
}

function isEnd(reason: string): reason is Trial['state'] {
  return reason in ENDS;
}

/** Models that came to nothing, by the reason they share. */
function missed(job: Job): [string, string[]][] {
  const reasons = new Map<string, string[]>();
  for (const trial of job.leaderboard) {
    if (trial.score !== null) continue;
    const reason = trial.reason ?? trial.state;
    reasons.set(reason, [...(reasons.get(reason) ?? []), trial.name]);
  }
  return [...reasons];
}

/** Tell a screen reader of a new best model, and of the end. */
function useTold(job: Job, scored: readonly Trial[]): void {
  const app = useApp();
  const best = scored.find(trial => !trial.baseline);
  const before = useRef<string | null>(null);
  useEffect(() => {
    const now = `${best?.name ?? ''}\n${job.state}`;
    if (before.current !== null && before.current !== now) {
      const state = isOver(job) ? app.words.text('app.job.over') : '';
      const leads = best
        ? app.words.text('app.job.leads', { name: best.name, score: app.format.fixed(best.score, 3) })
        : '';
      app.say([state, leads].filter(Boolean).join(' '));
    }
    before.current = now;
  });
}
