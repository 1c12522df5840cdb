import type { StreamedEvent } from './door.ts';

/** One line of a watch. Many watchers are told of one event in a row: its text is made once. */
export function createEventText(): (event: StreamedEvent) => string {
  let last: object | undefined;
  let type = '';
  let text = '';
  return (event) => {
    if (event.object !== last || event.type !== type) {
      last = event.object;
      type = event.type;
      text = `{"type":"${event.type}","object":${JSON.stringify(event.object)}}\n`;
    }
    return text;
  };
}
