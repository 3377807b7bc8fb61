import { Signal, type ISignal } from '@lumino/signaling';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

/** What fills a widget. */
export interface Content {
  /** Show another screen. */
  show(route: string): void;
  dispose(): void;
}

type Fill = (node: HTMLElement, kept: { route: string; moved: (route: string) => void }) => Promise<Content>;

/** A widget that is filled when it is shown for the first time, and knows which screen it is on. */
export class Lazy extends Widget {
  private content: Promise<Content> | null = null;
  private readonly _moved = new Signal<this, string>(this);

  constructor(
    private readonly fill: Fill,
    private _route: string
  ) {
    super();
    this.addClass('am-lab');
    this.node.tabIndex = -1;
  }

  get route(): string {
    return this._route;
  }

  /** The screen has changed. */
  get moved(): ISignal<this, string> {
    return this._moved;
  }

  /** Show another screen, also before it is filled. */
  open(route: string): void {
    this._route = route;
    void this.content?.then(content => content.show(route));
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.begin();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) this.begin();
  }

  override dispose(): void {
    void this.content?.then(content => content.dispose());
    super.dispose();
  }

  private begin(): void {
    this.content ??= this.fill(this.node, {
      route: this._route,
      moved: route => {
        this._route = route;
        this._moved.emit(route);
      }
    });
  }
}
