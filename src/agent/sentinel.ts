/** "This machine wants a reboot", as the machine itself says it: a file, a command, or the registry of Windows. */
import type { NodeSignal } from '../api/node-signal.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { RunCommand } from './command.ts';
import type { RegistryReader } from './pending-reboot.ts';
import { pendingReboot } from './pending-reboot.ts';
import { oneLine, type Source, timeText } from './source.ts';

export interface SentinelFile {
  /** null: it is not there. */
  readonly modifiedAt: Millis | null;
  /** Of PATH.pkgs beside it, which Debian's needrestart and update-notifier write: the packages that want it. */
  readonly packages: readonly string[];
}

/** @throws Error when it cannot be told whether the file is there. */
export type ReadSentinelFile = (path: string) => Promise<SentinelFile>;

interface Common {
  readonly clock: Clock;
  readonly everyMs: Millis;
  readonly timeoutMs: Millis;
}

const required = (id: string, since: Millis, message: string): NodeSignal => ({
  kind: 'RebootRequired',
  source: 'sentinel',
  id,
  since: timeText(since),
  revocable: true,
  message: oneLine(message),
});

export function fileSentinel({
  path,
  read,
  ...common
}: Common & { readonly path: string; readonly read: ReadSentinelFile }): Source {
  return {
    name: 'sentinel-file',
    owns: ({ source, id }) => source === 'sentinel' && id.startsWith('file'),
    ...timing(common),
    async read() {
      const { modifiedAt, packages } = await read(path);
      if (modifiedAt === null) return { signals: [] };
      const wanted = packages.length === 0 ? '' : `, for ${packages.join(', ')}`;
      return { signals: [required(`file:${path}`, modifiedAt, `${path} is there${wanted}`)] };
    },
  };
}

/** Exit code 0: a reboot is needed. Any other: it is not; but one that did not end by itself has said nothing. */
export function commandSentinel({
  command,
  run,
  ...common
}: Common & { readonly command: readonly string[]; readonly run: RunCommand }): Source {
  const [path = '', ...args] = command;
  return {
    name: 'sentinel-command',
    owns: ({ source, id }) => source === 'sentinel' && id.startsWith('command'),
    ...timing(common),
    // The command is given up a little before the source is, so that what it started is killed and told.
    timeoutMs: common.timeoutMs + 1_000,
    async read(_, signal) {
      const { code, stdout, why } = await run({ path, args, timeoutMs: common.timeoutMs, signal });
      if (code === null) throw new Error(`${path} ${why}`);
      if (code !== 0) return { signals: [] };
      const said = stdout.trim();
      return { signals: [required(`command:${path}`, common.clock.now(), `${path} says so${said === '' ? '' : `: ${said}`}`)] };
    },
  };
}

export function registrySentinel({ registry, ...common }: Common & { readonly registry: RegistryReader }): Source {
  return {
    name: 'sentinel-registry',
    owns: ({ source, id }) => source === 'sentinel' && id.startsWith('registry'),
    ...timing(common),
    async read(_, signal) {
      const found = await pendingReboot(registry, signal);
      if (found.length === 0) return { signals: [] };
      return { signals: [required('registry', common.clock.now(), `Windows has a reboot pending: ${found.join(', ')}`)] };
    },
  };
}

function timing({ everyMs, timeoutMs }: Common): Pick<Source, 'everyMs' | 'timeoutMs'> {
  return { everyMs, timeoutMs };
}
