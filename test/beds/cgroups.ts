import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

function unified(): boolean {
  return existsSync(join(ROOT, 'cgroup.controllers'));
}

/** The folders that make up the cgroup `name`: one per mounted hierarchy in cgroup v1 (often with an idle v2 beside), exactly one in v2. */
export function cgroupFolders(name: string): string[] {
  if (unified()) return [join(ROOT, name)];
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  return mounts.flatMap((line) => {
    const [, folder = '', type] = line.split(' ');
    return type === 'cgroup' || type === 'cgroup2' ? [join(folder, name)] : [];
  });
}

/** Makes the cgroup that a kubelet is rooted in. Each kubelet needs its own, or it kills the pods of the others as orphans. */
export function makeCgroup(name: string): void {
  if (unified()) {
    // a child has a controller only when its parent hands it down
    const controllers = readFileSync(join(ROOT, 'cgroup.controllers'), 'utf8').trim().split(' ');
    writeFileSync(join(ROOT, 'cgroup.subtree_control'), controllers.map((controller) => `+${controller}`).join(' '));
  }
  for (const folder of cgroupFolders(name)) {
    mkdirSync(folder, { recursive: true });
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      // v1: a new cpuset is empty and takes no process until it is filled
      const path = join(folder, file);
      if (!unified() && existsSync(path)) writeFileSync(path, readFileSync(join(folder, '..', file)));
    }
  }
}

function walk(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...children.flatMap((child) => walk(join(folder, child.name))), folder];
}

/** Every process in the cgroup and below it. */
export function cgroupProcesses(name: string): number[] {
  const pids = new Set<number>();
  for (const folder of cgroupFolders(name).flatMap(walk)) {
    for (const line of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n')) if (line) pids.add(Number(line));
  }
  return [...pids];
}

/** Removes the cgroup and everything below it; its processes must be gone. @throws EBUSY while one is left */
export function removeCgroup(name: string): void {
  for (const folder of cgroupFolders(name).flatMap(walk)) rmdirSync(folder);
}
