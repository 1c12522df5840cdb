import { defineConfig } from 'vitest/config';

// "unit" and "faults" need nothing but Node, "simulated" the kubectl of the beds. "control-plane" and "real-nodes" need the beds (npm run beds) and run one file at a time.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // A process for each of 250 files would take two thirds of the time; no test changes what another one reads.
          isolate: false,
          // Against hanging only: property tests and real sockets take their time on a machine that does other things, too.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          include: [
            'src/**/*.test.ts',
            'test/golden/**/*.test.ts',
            'scripts/**/*.test.ts',
            'test/beds/**/*.test.ts',
            'test/conformance/**/*.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          testTimeout: 900_000,
        },
      },
      {
        test: {
          name: 'simulated',
          include: ['test/scenario/simulated/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'control-plane',
          include: ['test/scenario/control-plane/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 400_000,
          hookTimeout: 400_000,
        },
      },
      {
        test: {
          // By hand (npm run truth, both beds): it takes half an hour, and its figures need a machine that does nothing else.
          name: 'truth',
          include: ['test/scenario/truth/**/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 400_000,
        },
      },
      {
        test: {
          name: 'real-nodes',
          include: ['test/scenario/real-nodes/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 400_000,
          hookTimeout: 400_000,
        },
      },
    ],
  },
});
