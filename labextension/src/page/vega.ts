/** Vega without `Function()`: expressions are interpreted, so that no script but ours can run. */
import { View, parse } from 'vega';
import { expressionInterpreter } from 'vega-interpreter';
import { compile, type TopLevelSpec } from 'vega-lite';

/** Draw a Vega-Lite specification into an element; the answer removes it. */
export async function draw(specification: Record<string, unknown>, into: HTMLElement): Promise<() => void> {
  const { spec } = compile(specification as unknown as TopLevelSpec);
  const view = new View(parse(spec, undefined, { ast: true }), {
    expr: expressionInterpreter,
    container: into,
    renderer: 'canvas',
    hover: true
  });
  await view.runAsync();
  return () => {
    view.finalize();
    into.replaceChildren();
  };
}
