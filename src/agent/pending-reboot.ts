/** The registry keys by which Windows says that it waits for a reboot. In a container they are the host's only with HostProcess. */
import type { Millis } from '../lib/clock.ts';
import type { RunCommand } from './command.ts';

export interface RegistryReader {
  /** @throws Error when it cannot be told. */
  hasKey(key: string, signal: AbortSignal): Promise<boolean>;
  /** Is the value there, and not empty? @throws Error when it cannot be told. */
  hasValue(key: string, value: string, signal: AbortSignal): Promise<boolean>;
}

interface Place {
  readonly says: string;
  readonly key: string;
  readonly value?: string;
}

const places: readonly Place[] = [
  {
    says: 'component servicing',
    key: 'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending',
  },
  {
    says: 'Windows Update',
    key: 'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired',
  },
  {
    says: 'files to be renamed',
    key: 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager',
    value: 'PendingFileRenameOperations',
  },
];

/** What waits for the reboot, a few words each; empty when nothing does. @throws Error when one place cannot be read. */
export async function pendingReboot(registry: RegistryReader, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  for (const { says, key, value } of places) {
    const there = value === undefined ? await registry.hasKey(key, signal) : await registry.hasValue(key, value, signal);
    if (there) found.push(says);
  }
  return found;
}

/** By reg.exe: Node reads no registry, and a native module would be one for each platform. */
export function registryByCommand(run: RunCommand, timeoutMs: Millis): RegistryReader {
  const query = async (args: readonly string[], signal: AbortSignal) => {
    const { code, stdout, why, stderr } = await run({ path: 'reg.exe', args: ['query', ...args], timeoutMs, signal });
    // 1 is "not there" and "not allowed" alike; the second one says so on stderr in words that depend on the language.
    if (code === 0 || code === 1) return { found: code === 0, stdout };
    throw new Error(`reg.exe ${why || `ended with ${code}: ${stderr.trim().slice(0, 100)}`}`);
  };
  return {
    hasKey: async (key, signal) => (await query([key], signal)).found,
    async hasValue(key, value, signal) {
      const { found, stdout } = await query([key, '/v', value], signal);
      // "    NAME    REG_MULTI_SZ    \??\C:\old\0": with nothing behind its type it is empty.
      return found && new RegExp(`${value}\\s+REG_\\w+[ \\t]+\\S`).test(stdout);
    },
  };
}
