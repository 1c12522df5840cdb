import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../lib/clock.ts';
import type { CommandResult, RunCommand } from './command.ts';
import { registryByCommand } from './pending-reboot.ts';
import { commandSentinel, fileSentinel, registrySentinel } from './sentinel.ts';
import type { Source } from './source.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const common = { clock: createVirtualClock(NOW), everyMs: 60_000, timeoutMs: 5_000 };
const read = async (source: Source) => (await source.read([], new AbortController().signal)).signals;
const answering = (result: Partial<CommandResult>): RunCommand => {
  return () => Promise.resolve({ code: 0, stdout: '', stderr: '', why: '', ...result });
};

describe('the sentinel file', () => {
  const of = (modifiedAt: number | null, packages: string[] = []) =>
    fileSentinel({ ...common, path: '/run/reboot-required', read: () => Promise.resolve({ modifiedAt, packages }) });

  it('that is not there wants nothing', async () => {
    expect(await read(of(null))).toEqual([]);
  });

  it('that is there wants a reboot since it was written, for the packages beside it', async () => {
    expect(await read(of(NOW - 60_000, ['libc6', 'linux-image']))).toEqual([
      {
        kind: 'RebootRequired',
        source: 'sentinel',
        id: 'file:/run/reboot-required',
        since: '2026-01-01T11:59:00Z',
        revocable: true,
        message: '/run/reboot-required is there, for libc6, linux-image',
      },
    ]);
  });

  it('that cannot be looked at is an error', async () => {
    const source = fileSentinel({
      ...common,
      path: '/x',
      read: () => Promise.reject(new Error('/x cannot be looked at: EACCES')),
    });
    await expect(read(source)).rejects.toThrow('EACCES');
  });
});

describe('the sentinel command', () => {
  const of = (result: Partial<CommandResult>) =>
    commandSentinel({ ...common, command: ['/usr/bin/needs-restarting', '-r'], run: answering(result) });

  it('wants a reboot with exit code 0', async () => {
    expect(await read(of({ stdout: 'core libraries\nupdated\n' }))).toMatchObject([
      {
        kind: 'RebootRequired',
        id: 'command:/usr/bin/needs-restarting',
        message: '/usr/bin/needs-restarting says so: core libraries updated',
      },
    ]);
  });

  it.each([1, 2, 127])('wants none with exit code %d', async (code) => {
    expect(await read(of({ code }))).toEqual([]);
  });

  it('that did not end by itself has said nothing', async () => {
    await expect(read(of({ code: null, why: 'did not end within 5 s' }))).rejects.toThrow(
      '/usr/bin/needs-restarting did not end within 5 s',
    );
  });
});

describe('the registry of Windows', () => {
  const of = (answers: Readonly<Record<string, Partial<CommandResult>>>) => {
    const run: RunCommand = ({ path, args }) => {
      expect([path, args[0]]).toEqual(['reg.exe', 'query']);
      const found = Object.entries(answers).find(([key]) => args[1]?.endsWith(key));
      return Promise.resolve({ code: 1, stdout: '', stderr: '', why: '', ...found?.[1] });
    };
    return registrySentinel({ ...common, registry: registryByCommand(run, 5_000) });
  };
  const value = (text: string) =>
    `\r\nHKEY_LOCAL_MACHINE\\SYSTEM\r\n    PendingFileRenameOperations    REG_MULTI_SZ${text}\r\n\r\n`;

  it('without any of the keys wants nothing', async () => {
    expect(await read(of({}))).toEqual([]);
  });

  it('wants a reboot for each of its keys', async () => {
    const found = await read(of({ RebootPending: { code: 0 }, RebootRequired: { code: 0 } }));
    expect(found).toMatchObject([
      { id: 'registry', message: 'Windows has a reboot pending: component servicing, Windows Update' },
    ]);
  });

  it('wants one for files that are renamed at the next start, and none for an empty list of them', async () => {
    const files = { 'Session Manager': { code: 0, stdout: value('    \\??\\C:\\Temp\\old\\0') } };
    expect(await read(of(files))).toMatchObject([{ message: 'Windows has a reboot pending: files to be renamed' }]);
    expect(await read(of({ 'Session Manager': { code: 0, stdout: value('    ') } }))).toEqual([]);
  });

  it('that cannot be read is an error', async () => {
    await expect(read(of({ RebootPending: { code: 5, stderr: 'broken\r\n' } }))).rejects.toThrow('reg.exe ended with 5: broken');
    await expect(read(of({ RebootPending: { code: null, why: 'cannot be started: ENOENT' } }))).rejects.toThrow('ENOENT');
  });
});
