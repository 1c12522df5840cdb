/** What a real node is made of on this machine, besides processes: network, cgroup, mounts. All names start with "drover-". */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupProcesses, makeCgroup, removeCgroup } from './cgroups.ts';
import { killUntilNone, pause } from './processes.ts';

export const MAX_NODES = 20;
export const hostAddress = '172.30.0.1';
export const podNetwork = '10.244.0.0/16';
const BRIDGE = 'drover-br0';

/** Name of node `index` (from 1 on) for Kubernetes. */
export const nodeName = (index: number) => `node${index}`;
/** Name of its network namespace, its cgroup and its pod network. */
export const machineName = (index: number) => `drover-node${index}`;
export const nodeAddress = (index: number) => `172.30.0.${index + 1}`;
export const podSubnet = (index: number) => `10.244.${index}.0/24`;
export const netns = (index: number) => `/run/netns/${machineName(index)}`;

const allIndexes = Array.from({ length: MAX_NODES }, (_, index) => index + 1);

/** Runs a tool to its end. @throws Error with its stderr */
export function tool(name: string, ...args: readonly string[]): string {
  try {
    return execFileSync(name, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`${name} ${args.join(' ')}: ${stderr?.trim() || (error as Error).message}`, { cause: error });
  }
}

const linkExists = (name: string) => existsSync(`/sys/class/net/${name}`);

export function makeBridge(): void {
  tool('ip', 'link', 'add', BRIDGE, 'type', 'bridge');
  tool('ip', 'addr', 'add', `${hostAddress}/24`, 'dev', BRIDGE);
  tool('ip', 'link', 'set', BRIDGE, 'up');
}

/** A namespace with eth0 on the bridge and a route to the pods of every other node; and its cgroup. */
export function makeMachine(index: number): void {
  const [name, port] = [machineName(index), `drover-v${index}`];
  tool('ip', 'netns', 'add', name);
  // a fixed hardware address, so that nobody keeps an old one of a machine that was rebooted
  const hardware = `02:d0:00:00:00:${index.toString(16).padStart(2, '0')}`;
  tool('ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'address', hardware, 'netns', name);
  tool('ip', 'link', 'set', port, 'master', BRIDGE, 'up');
  const inside = (...args: readonly string[]) => tool('ip', '-n', name, ...args);
  inside('link', 'set', 'lo', 'up');
  inside('addr', 'add', `${nodeAddress(index)}/24`, 'dev', 'eth0');
  inside('link', 'set', 'eth0', 'up');
  inside('route', 'add', 'default', 'via', hostAddress);
  for (const other of allIndexes) if (other !== index) inside('route', 'add', podSubnet(other), 'via', nodeAddress(other));
  tool('nsenter', `--net=${netns(index)}`, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
  tool('ip', 'route', 'replace', podSubnet(index), 'via', nodeAddress(index));
  makeCgroup(name);
}

function unmountBelow(folder: string): void {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  const points = mounts.map((line) => line.split(' ')[1] ?? '').filter((point) => point.startsWith(`${folder}/`));
  // the last mounted first: overlays and bind mounts lie on top of one another
  for (const point of points.reverse()) tool('umount', '--lazy', point);
}

function removeSocketsOfShims(nodeFolder: string): void {
  const bundles = join(nodeFolder, 'run/io.containerd.runtime.v2.task/k8s.io');
  if (!existsSync(bundles)) return;
  for (const id of readdirSync(bundles)) {
    const address = join(bundles, id, 'address');
    if (existsSync(address)) rmSync(readFileSync(address, 'utf8').replace('unix://', ''), { force: true });
  }
}

/** Kubelets and CNI write to these two places whatever folders they are given. */
function removeTracesElsewhere(index: number, nodeFolder: string): void {
  const results = '/var/lib/cni/results';
  const cached = existsSync(results) ? readdirSync(results) : [];
  for (const name of cached) {
    const [, sandbox] = /^(.+)-eth0$/.exec(name.replace(`${machineName(index)}-`, '')) ?? [];
    if (!sandbox || !name.startsWith(`${machineName(index)}-`)) continue;
    for (const file of [name, `cni-loopback-${sandbox}-lo`]) rmSync(join(results, file), { force: true });
  }
  const links = '/var/log/containers';
  for (const name of existsSync(links) ? readdirSync(links) : []) {
    if (readlinkSync(join(links, name)).startsWith(`${nodeFolder}/`)) rmSync(join(links, name));
  }
}

function removeCgroupOf(name: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      return removeCgroup(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || attempt === 100) throw error;
      pause(20); // a killed process leaves its cgroup a moment after it is gone from /proc
    }
  }
}

/**
 * As a power cut: every process in the pods dies, the network is gone, what was mounted or in /run is lost; the disk stays.
 * Whatever of it is not there is passed over. The node's own processes must be dead already.
 */
export function breakMachine(index: number, nodeFolder: string): void {
  const name = machineName(index);
  killUntilNone(() => cgroupProcesses(name), name);
  unmountBelow(nodeFolder);
  // the cable first: a namespace goes in the background, and would take its end of the cable away at some later time
  if (linkExists(`drover-v${index}`)) tool('ip', 'link', 'del', `drover-v${index}`);
  if (existsSync(netns(index))) tool('ip', 'netns', 'del', name);
  removeSocketsOfShims(nodeFolder);
  rmSync(join(nodeFolder, 'run'), { recursive: true, force: true });
  removeTracesElsewhere(index, nodeFolder);
  removeCgroupOf(name);
}

/** Removes every trace of every node and the bridge. */
export function breakAllMachines(folder: string): void {
  for (const index of allIndexes) breakMachine(index, join(folder, nodeName(index)));
  if (linkExists(BRIDGE)) tool('ip', 'link', 'del', BRIDGE);
}

/** Settings of the whole machine that a kubelet changes (kubelet/cm, setupKernelTunables). */
const tunables = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];
const tunablesPath = (folder: string) => join(folder, 'kernel-settings.json');

export function saveKernelSettings(folder: string): void {
  const values = tunables
    .filter((name) => existsSync(`/proc/sys/${name}`))
    .map((name) => [name, readFileSync(`/proc/sys/${name}`, 'utf8')]);
  writeFileSync(tunablesPath(folder), JSON.stringify(Object.fromEntries(values)));
}

export function restoreKernelSettings(folder: string): void {
  if (!existsSync(tunablesPath(folder))) return;
  const saved = JSON.parse(readFileSync(tunablesPath(folder), 'utf8')) as Record<string, string>;
  for (const [name, value] of Object.entries(saved)) {
    if (readFileSync(`/proc/sys/${name}`, 'utf8') !== value) writeFileSync(`/proc/sys/${name}`, value);
  }
}
