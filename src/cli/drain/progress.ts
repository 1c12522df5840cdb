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

// Elapsed times count up, and waits get old, although nothing happens.
const TICK_MS = 1_000;

/** Shows reports as they come, and the last one again each second. */
export function openProgress(
  { screen, clock, verbose }: Context,
  { progress, output }: Pick<DrainFlags, 'progress' | 'output'>,
): ProgressView {
  const silent = progress === 'none' || (progress === 'auto' && output !== 'text');
  if (silent) return { show() {}, end() {} };
  // Debug logs come many a second: between them a live region would only flicker.
  const region = progress === 'auto' && !verbose ? screen.live() : null;
  const linesOf = createPlainProgress();
  // With -o json or yaml stdout belongs to the document that comes at the end.
  const write = output === 'text' ? screen.out : screen.err;
  const show = (report: DrainRunReport) => {
    if (region) region.draw(liveLines(report, screen));
    else linesOf(report).forEach((line) => write(line));
  };
  let last: DrainRunReport | null = null;
  let cancelTick = () => {};
  const tick = () => {
    cancelTick = clock.after(TICK_MS, tick);
    if (last) show({ ...last, now: clock.now() });
  };
  tick();
  return {
    show(report) {
      last = report;
      show(report);
    },
    end() {
      cancelTick();
      region?.end();
    },
  };
}
