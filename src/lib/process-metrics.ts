/** What every process of Drover tells about itself. */
import type { Millis } from './clock.ts';
import type { Registry } from './metrics.ts';

export interface ProcessUsage {
  readonly residentBytes: number;
  /** User and system together, since the start. */
  readonly cpuSeconds: number;
}

export interface AboutProcess {
  readonly version: string;
  readonly startedAt: Millis;
  readonly usage: () => ProcessUsage;
}

export function registerProcessMetrics(registry: Registry, { version, startedAt, usage }: AboutProcess): void {
  registry
    .gauge({ name: 'drover_build_info', help: 'Always 1; the version is in the label.', labelNames: ['version'] })
    .set({ version }, 1);
  registry.gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory in bytes.',
    collect: (gauge) => gauge.set({}, usage().residentBytes),
  });
  registry.counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time in seconds.',
    read: () => usage().cpuSeconds,
  });
  registry
    .gauge({ name: 'process_start_time_seconds', help: 'Start of the process, seconds since the epoch.' })
    .set({}, startedAt / 1_000);
}
