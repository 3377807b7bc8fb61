/** What is on the screen, as a value and as text for addresses and saved layouts. */

export type Route =
  | { screen: 'home' }
  | { screen: 'about' }
  | { screen: 'data'; id: string }
  | { screen: 'train'; id: string }
  | { screen: 'job'; id: string }
  | { screen: 'model'; name: string; version?: number }
  | { screen: 'predict'; name: string; version?: number };

/** A route as text; the home screen is empty text. */
export function written(route: Route): string {
  switch (route.screen) {
    case 'home':
      return '';
    case 'about':
      return 'about';
    case 'data':
    case 'train':
    case 'job':
      return `${route.screen}/${encodeURIComponent(route.id)}`;
    case 'model':
    case 'predict': {
      const version = route.version === undefined ? '' : `/${route.version}`;
      return `${route.screen}/${encodeURIComponent(route.name)}${version}`;
    }
  }
}

/** The route that a text stands for; whatever is none leads home. */
export function parsed(text: string): Route {
  const [screen, given = '', number = ''] = text.replace(/^[#/]+/, '').split('/');
  const thing = decoded(given);
  if (screen === 'about') return { screen };
  if (!thing) return { screen: 'home' };
  if (screen === 'data' || screen === 'train' || screen === 'job') return { screen, id: thing };
  if (screen === 'model' || screen === 'predict') {
    return /^\d+$/.test(number) ? { screen, name: thing, version: Number(number) } : { screen, name: thing };
  }
  return { screen: 'home' };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
