/** How long a person waits for the help text. */
import { programPath } from '../test/beds/binaries.ts';
import { runProgram } from './child.ts';
import { type Bench, median, shown, spread } from './result.ts';

const RUNS = 10;

export const help: Bench = {
  title: '`drover --help`',
  async run({ drover, runs = RUNS }) {
    const time = async (...command: [string, ...string[]]) => {
      const times: number[] = [];
      for (let run = 0; run < runs; run++) {
        const { startedAt, endedAt } = await runProgram(command);
        times.push(endedAt - startedAt);
      }
      return times;
    };
    const bare = await time(process.execPath, '-e', '0');
    const ours = await time(process.execPath, drover, '--help');
    const peer = await time(programPath('kubectl'), '--help');
    return {
      tables: [
        {
          columns: ['command', 'ms, least / median / most'],
          rows: [
            ['drover --help', spread(ours)],
            ['kubectl --help', spread(peer)],
            ['node without a program', spread(bare)],
          ],
        },
      ],
      bars: [{ what: '`drover --help`, median', measured: median(ours), bar: 150, unit: 'ms' }],
      how: [
        `Start of the process to its end, ${runs} runs each; drover takes ${shown(median(ours) / median(peer))} x kubectl's time.`,
      ],
      broken: [],
    };
  },
};
