/** Keeps a fault of one screen from emptying the whole application. */
import { Component, type ReactNode } from 'react';

import { asProblem } from '../core/app';
import type { Problem } from '../core/api';
import { Trouble } from './parts';

interface State {
  problem: Problem | null;
}

export class Boundary extends Component<{ children: ReactNode }, State> {
  override state: State = { problem: null };

  static getDerivedStateFromError(error: unknown): State {
    return { problem: asProblem(error) };
  }

  override render(): ReactNode {
    const { problem } = this.state;
    if (!problem) return this.props.children;
    return <Trouble problem={problem} again={() => this.setState({ problem: null })} />;
  }
}
