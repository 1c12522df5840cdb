import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clearLeftovers, createBedFolder } from './bed-folder.ts';
import { processesOf, start, startAgain, startTime } from './processes.ts';

const nothingElse = () => {};
const before = process.env.TMPDIR;
let parent: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'drover-beds-test-'));
  process.env.TMPDIR = parent;
});

afterEach(() => {
  clearLeftovers('control-plane', nothingElse);
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  rmSync(parent, { recursive: true, force: true });
});

/** A process that owns a bed with one sleeping program in it; it prints the bed's folder, and then does `afterwards`. */
function otherOwner(afterwards: string) {
  const here = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  const program = `
    const { createBedFolder } = await import(${here('./bed-folder.ts')});
    const { start } = await import(${here('./processes.ts')});
    const { folder } = createBedFolder('control-plane', () => {});
    start(folder, 'sleeper', ['sleep', '1000']);
    console.log(folder);
    setInterval(() => {}, 1000);
    ${afterwards}
  `;
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const child = spawn(process.execPath, ['--import', tsx, '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const folder = new Promise<string>((resolve) => child.stdout.once('data', (data: Buffer) => resolve(data.toString().trim())));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return { child, folder, ended };
}

describe.runIf(process.platform === 'linux')('bed folder', { timeout: 60_000 }, () => {
  it('goes with all its processes when it is stopped, and a second stop does no harm', () => {
    const { folder, stop } = createBedFolder('control-plane', nothingElse);
    start(folder, 'one', ['sleep', '1000']);
    start(folder, 'two', ['sh', '-c', 'sleep 1000 & sleep 1000']);
    expect(processesOf(folder, 'one')).toHaveLength(1);
    stop();
    expect(processesOf(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    stop();
  });

  it('keeps the command of a program to start it again', () => {
    const { folder, stop } = createBedFolder('control-plane', nothingElse);
    start(folder, 'one', ['sleep', '1000']);
    startAgain(folder, 'one');
    expect(processesOf(folder, 'one')).toHaveLength(2);
    stop();
  });

  it('of an owner that was killed is cleared by the next start, with its processes', async () => {
    const owner = otherOwner('');
    const folder = await owner.folder;
    expect(clearLeftovers('control-plane', nothingElse)).toEqual([owner.child.pid]);
    expect(processesOf(folder, 'sleeper')).toHaveLength(1);
    owner.child.kill('SIGKILL');
    await owner.ended;
    expect(processesOf(folder, 'sleeper')).toHaveLength(1);
    const destroyed: string[] = [];
    expect(clearLeftovers('control-plane', (path) => destroyed.push(path))).toEqual([]);
    expect(destroyed).toEqual([folder]);
    expect(processesOf(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  it.each([
    ['is told to end', `process.kill(process.pid, 'SIGTERM');`],
    ['is interrupted', `process.kill(process.pid, 'SIGINT');`],
    ['ends by itself', 'process.exit(3);'],
  ])('goes when its owner %s', async (_, afterwards) => {
    const owner = otherOwner(afterwards);
    const folder = await owner.folder;
    await owner.ended;
    expect(processesOf(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  it('is left alone while another process owns it', async () => {
    const owner = otherOwner('');
    const folder = await owner.folder;
    const mine = createBedFolder('control-plane', nothingElse);
    clearLeftovers('control-plane', nothingElse);
    expect(existsSync(folder)).toBe(true);
    mine.stop();
    owner.child.kill('SIGTERM');
    await owner.ended;
    expect(readdirSync(join(folder, '..'))).toEqual([]);
  });
});

describe.runIf(process.platform === 'linux')('start time', () => {
  it('tells one process from another, and is nothing for none', () => {
    expect(startTime(process.pid)).toMatch(/^\d+$/);
    expect(startTime(2 ** 22 + 1)).toBeUndefined();
  });
});
