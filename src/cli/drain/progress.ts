/** Shows a drain while it runs, as the flags and the terminal allow. */
import type { DrainRunReport } from '../../controller/drain-report.ts';
import type { Context } from '../command.ts';
import type { DrainFlags } from './command.ts';
import { liveLines } from './live-view.ts';
import { createPlainProgress } from './plain-progress.ts';

export interface ProgressView {
  show(report: DrainRunReport): void;
  end(): void;
}

// Elapsed times count up although nothing happens.
const TICK_MS = 1_000;

export function openProgress(
  { screen, clock, verbose }: Context,
  { progress, output }: Pick<DrainFlags, 'progress' | 'output'>,
): ProgressView {
  const silent = progress === 'none' || (progress === 'auto' && output !== 'text');
  if (silent) return { show() {}, end() {} };
  // Debug logs come many a second: between them a live region would only flicker.
  const region = progress === 'auto' && !verbose ? screen.live() : null;
  if (!region) {
    const linesOf = createPlainProgress();
    // stdout belongs to the document that comes at the end.
    const write = output === 'text' ? screen.out : screen.err;
    return { show: (report) => linesOf(report).forEach((line) => write(line)), end() {} };
  }
  let last: DrainRunReport | null = null;
  let cancelTick = () => {};
  const draw = () => {
    cancelTick();
    cancelTick = clock.after(TICK_MS, draw);
    if (last) region.draw(liveLines({ ...last, now: clock.now() }, screen));
  };
  return {
    show(report) {
      last = report;
      draw();
    },
    end() {
      cancelTick();
      region.end();
    },
  };
}
