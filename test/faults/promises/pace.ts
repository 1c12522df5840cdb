/** Drover does not repeat without end what does not help. */
import type { Millis } from '../../../src/lib/clock.ts';
import type { KeepWatch } from './promise.ts';

const WINDOW_MS: Millis = 10_000;
/** Eight nodes with thirty pods, each told of three times, are far below. */
const MOST_WRITES = 400;

export const doesNotSpin: KeepWatch = (stage) => {
  const { clock } = stage;
  let begin = clock.now();
  let writes = 0;
  stage.onRequest(({ method, path }) => {
    if (method === 'GET') return;
    if (clock.now() - begin > WINDOW_MS) [begin, writes] = [clock.now(), 0];
    if (++writes !== MOST_WRITES) return;
    stage.broken(
      'nothing is repeated without end',
      `${writes} writes within ${clock.now() - begin} ms, the last ${method} ${path}`,
    );
    stage.giveUp();
  });
  return {};
};
