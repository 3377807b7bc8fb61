/** Keeps jobs that run up to date: by the stream of their events, and by asking where there is none. */
import { Problem, pause, type Api } from './api';
import type { Job } from './contract';
import { happenings } from './events';

const FINAL = new Set<Job['state']>(['done', 'failed', 'stopped', 'cancelled', 'interrupted']);
const BETWEEN = 300;
const ASK_EVERY = 2000;
const LONGEST_WAIT = 15_000;

/** Whether nothing more happens in a job by itself. */
export function isOver(job: Job): boolean {
  return FINAL.has(job.state);
}

/** Whether a job can be taken up again. */
export function isResumable(job: Job): boolean {
  return isOver(job) && job.state !== 'done';
}

export interface Hearing {
  /** The job as it is now. */
  job(job: Job): void;
  /** The server cannot be reached, or can be again. */
  trouble(problem: Problem | null): void;
}

/** Follow a job until it is over or it is called off; a server that is away is asked again, ever more rarely. */
export async function follow(api: Api, id: string, hear: Hearing, signal: AbortSignal): Promise<void> {
  let after = 0;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const job = await look(api, id, hear, signal);
      failures = 0;
      hear.trouble(null);
      if (isOver(job)) return;
      after = await listen(api, id, after, hear, signal);
      await pause(BETWEEN, signal);
    } catch (cut) {
      // What the server refuses, it will refuse again.
      if (cut instanceof Problem) {
        hear.trouble(cut);
        if (cut.trouble !== 'offline' && cut.status < 500) return;
      }
      failures += 1;
      await pause(Math.min(ASK_EVERY * failures, LONGEST_WAIT), signal).catch(() => undefined);
    }
  }
}

async function look(api: Api, id: string, hear: Hearing, signal: AbortSignal): Promise<Job> {
  const job = await api.get('get /api/jobs/{job_id}/', { path: { job_id: id }, signal });
  hear.job(job);
  return job;
}

/** Look again at each event, at most every `BETWEEN` milliseconds; the answer is the last event that came. */
async function listen(
  api: Api,
  id: string,
  after: number,
  hear: Hearing,
  signal: AbortSignal
): Promise<number> {
  const response = await api.send(
    'get /api/jobs/{job_id}/events/',
    { path: { job_id: id }, query: { after }, signal },
    { headers: { Accept: 'text/event-stream' } }
  );
  if (!response.body) return after;
  let last = after;
  let looked = 0;
  let due: ReturnType<typeof setTimeout> | undefined;
  const again = (): void => {
    looked = Date.now();
    due = undefined;
    look(api, id, hear, signal).catch(() => undefined);
  };
  try {
    for await (const event of happenings(response.body)) {
      last = event.id;
      due ??= setTimeout(again, Math.max(0, looked + BETWEEN - Date.now()));
    }
  } catch (cut) {
    if (signal.aborted) throw cut;
  } finally {
    clearTimeout(due);
  }
  return last;
}
