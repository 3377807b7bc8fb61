/** What the application knows and does; views read it and call it, hosts give it what only they have. */
import { Problem, type Api } from './api';
import { Cache } from './cache';
import type { Dataset, Job, Model, ModelVersion, TrainRequest } from './contract';
import { follow, isOver } from './follow';
import type { Format } from './format';
import { written, type Route } from './route';
import { upload, type Sendable } from './upload';
import type { Words } from './words';

export type Theme = 'light' | 'dark' | 'contrast';

export interface Host {
  /** Leave the place where it is kept, such as the page's address. */
  keep(route: Route): void;
  /** A job that this application watched is over. */
  ended(job: Job): void;
  /** Where somebody logs in again, and comes back to the screen. */
  login(): string;
  /** This program's version, to compare with the server's. */
  readonly version: string;
  /** Whether the application has the whole page, and its landmarks are those of the page. */
  readonly alone: boolean;
  /** Draw a chart into an element; the answer removes it. */
  chart(specification: Record<string, unknown>, into: HTMLElement): Promise<() => void>;
  /** The ground on which charts stand. */
  readonly theme: () => Theme;
  /** Be told when that ground changes; the answer ends it. */
  readonly themed: (changed: () => void) => () => void;
}

export interface Sending {
  readonly name: string;
  readonly size: number;
  readonly sent: number;
  readonly problem?: Problem;
  readonly stopped?: boolean;
}

export interface State {
  readonly route: Route;
  readonly sending: Sending | null;
  /** What a screen reader is told. */
  readonly said: string;
  /** Why the job on the screen is not up to date. */
  readonly away: Problem | null;
}

const PAGE = 20;

export class App {
  private state: State;
  private readonly listeners = new Set<() => void>();
  private watched: { id: string; control: AbortController } | null = null;
  private stopSending: AbortController | null = null;

  constructor(
    readonly api: Api,
    readonly words: Words,
    readonly format: Format,
    readonly host: Host,
    route: Route,
    /** Several applications of one page may know the same. */
    readonly cache = new Cache()
  ) {
    this.state = { route, sending: null, said: '', away: null };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): State => this.state;

  /** Show another screen. */
  go(route: Route): void {
    if (written(route) === written(this.state.route)) return;
    this.set({ route });
    this.host.keep(route);
  }

  /** Show a screen that is kept already, such as after the browser's own way back. */
  show(route: Route): void {
    this.set({ route });
  }

  /** Tell a screen reader something, once. */
  say(text: string): void {
    this.set({ said: text });
  }

  /** What the lists on the first screen are asked with. */
  page(offset: number): { limit: number; offset: number } {
    return { limit: PAGE, offset };
  }

  // --- data

  /** Take in a file in pieces, then show it; the answer says whether it came. */
  async send(file: Sendable): Promise<Dataset | null> {
    if (this.stopSending) return null;
    const control = new AbortController();
    this.stopSending = control;
    const sending = { name: file.name, size: file.size, sent: 0 };
    this.set({ sending });
    try {
      const dataset = await upload(this.api, file, control.signal, sent =>
        this.set({ sending: { ...sending, sent } })
      );
      this.set({ sending: null });
      this.took(dataset);
      return dataset;
    } catch (error) {
      if (control.signal.aborted) this.set({ sending: { ...sending, stopped: true } });
      else this.set({ sending: { ...sending, problem: asProblem(error) } });
      return null;
    } finally {
      this.stopSending = null;
    }
  }

  /** Call the upload off; nothing is kept of it. */
  stopUpload(): void {
    this.stopSending?.abort();
  }

  /** Know a data set that was just made, and show it. */
  took(dataset: Dataset): void {
    this.cache.put(`dataset/${dataset.id}`, dataset);
    this.cache.forget('datasets/');
    this.go({ screen: 'data', id: dataset.id });
  }

  // --- jobs

  /** Start a training and show it. */
  async train(dataset: Dataset, request: TrainRequest): Promise<void> {
    const job = await this.api.post('post /api/train/{dataset_id}/', request, {
      path: { dataset_id: dataset.id }
    });
    this.heard(job);
    this.cache.forget('jobs/');
    this.go({ screen: 'job', id: job.id });
  }

  /** End a job or take it up again. */
  async act(job: Job, verb: 'stop' | 'cancel' | 'resume'): Promise<void> {
    const path = { job_id: job.id };
    const api = this.api;
    if (verb === 'stop') this.heard(await api.get('post /api/jobs/{job_id}/stop/', { path }));
    else if (verb === 'cancel') this.heard(await api.get('post /api/jobs/{job_id}/cancel/', { path }));
    else this.heard(await api.post('post /api/jobs/{job_id}/resume/', {}, { path }));
    this.cache.forget('jobs/');
    this.leave();
    this.watch(job.id);
  }

  /** Keep one job up to date; the one before is left. */
  watch(id: string): void {
    if (this.watched?.id === id) return;
    this.leave();
    const control = new AbortController();
    this.watched = { id, control };
    const hear = {
      job: (job: Job): void => this.heard(job),
      trouble: (away: Problem | null): void => {
        if (away !== this.state.away) this.set({ away });
      }
    };
    void follow(this.api, id, hear, control.signal).then(() => {
      if (this.watched?.control === control) this.watched = null;
    });
  }

  /** Stop keeping a job up to date, such as while nobody looks. */
  leave(): void {
    this.watched?.control.abort();
    this.watched = null;
  }

  private heard(job: Job): void {
    const before = this.cache.read<Job>(`job/${job.id}`).value;
    this.cache.put(`job/${job.id}`, job);
    if (before && !isOver(before) && isOver(job)) {
      this.cache.forget('jobs/');
      this.cache.forget('models/');
      if (job.model) this.cache.forget(`model/${job.model.name}`);
      this.host.ended(job);
    }
  }

  // --- models

  /** Put a version into service. */
  async promote(name: string, version: number): Promise<void> {
    this.knows(await this.api.post('post /api/models/{name}/promote/', { version }, { path: { name } }));
  }

  /** Put the version back that was in service before. */
  async rollback(name: string): Promise<void> {
    this.knows(await this.api.get('post /api/models/{name}/rollback/', { path: { name } }));
  }

  /** Delete a model with all its versions: nothing that was found out about it holds for one that is called so later. */
  async remove(name: string): Promise<void> {
    await this.api.send('delete /api/models/{name}/', { path: { name } });
    for (const kind of ['charts', 'compare', 'explain', 'why']) this.cache.forget(`${kind}/${name}/`);
    this.cache.forget('model');
    this.go({ screen: 'home' });
  }

  private knows(model: Model): void {
    this.cache.put(`model/${model.name}`, model);
    this.cache.forget('models/');
  }

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of [...this.listeners]) listener();
  }
}

/** The version that is asked for; else the one in service, else the newest. */
export function versionOf(model: Model, wanted: number | undefined): ModelVersion | undefined {
  const number = wanted ?? model.champion;
  return model.versions.find(version => version.version === number) ?? model.versions[0];
}

/** Whatever was thrown, as a Problem. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem
    ? error
    : new Problem('refused', 0, error instanceof Error ? error.message : String(error));
}
