import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aMaintenance, aNode } from '../../test/builders.ts';
import { type Action, defaultReboot, defaultVerify, type RebootSettings } from './action.ts';
import { rebootPod } from './reboot-pod.ts';

interface Body {
  readonly spec: {
    readonly hostPID?: boolean;
    readonly hostNetwork: boolean;
    readonly tolerations: unknown;
    readonly securityContext?: unknown;
    readonly containers: readonly {
      readonly image: string;
      readonly command: readonly string[];
      readonly securityContext?: object;
    }[];
  };
}

function bodyOf(reboot: Partial<RebootSettings> = {}, node = aNode(), bootId = 'boot-1'): Body {
  const action: Action = {
    kind: 'Reboot',
    uid: 'u1',
    reboot: { ...defaultReboot, namespace: 'drover', ...reboot },
    verify: defaultVerify,
  };
  return rebootPod(aMaintenance(), action, node, 'drover-reboot-u1-1', bootId) as unknown as Body;
}

const containerOf = (...args: Parameters<typeof bodyOf>) => {
  const [container] = bodyOf(...args).spec.containers;
  if (!container) throw new Error('a pod without a container');
  return container;
};

describe('the pod that reboots a node', () => {
  it('runs the command in the namespaces of the host', () => {
    const { spec } = bodyOf({ command: ['/sbin/reboot', '-f'] });
    expect(spec).toMatchObject({
      nodeName: 'node-1',
      hostPID: true,
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
    });
    expect(spec.containers[0]?.command.slice(-10)).toEqual([
      'nsenter',
      '-t',
      '1',
      '-m',
      '-u',
      '-i',
      '-n',
      '--',
      '/sbin/reboot',
      '-f',
    ]);
    expect(spec.containers[0]?.securityContext).toEqual({ privileged: true });
  });

  it('has no more than the right to signal where it only signals, and no process of the host where it asks logind', () => {
    const signal = bodyOf({ method: 'Signal', signal: 5 });
    expect(signal.spec.containers[0]).toMatchObject({ securityContext: { capabilities: { drop: ['ALL'], add: ['KILL'] } } });
    expect(signal.spec.containers[0]?.command.slice(-3)).toEqual(['kill', '-5', '1']);
    const systemd = bodyOf({ method: 'Systemd', image: 'dbus:1' });
    expect(systemd.spec.hostPID).toBeUndefined();
    expect(systemd.spec.containers[0]).toMatchObject({ image: 'dbus:1', securityContext: { capabilities: { drop: ['ALL'] } } });
  });

  it('reads the boot id where the kubelet reads it', () => {
    expect(containerOf().command[5]).toBe('/proc/sys/kernel/random/boot_id');
    expect(bodyOf().spec).not.toHaveProperty('volumes');
    for (const method of ['Command', 'Signal', 'Systemd'] as const) {
      const { spec } = bodyOf({ method, bootIdFile: '/etc/nodes/$(DROVER_NODE)/boot_id' });
      expect(spec).toMatchObject({
        volumes: expect.arrayContaining([{ name: 'boot-id', hostPath: { path: '/etc/nodes/node-1/boot_id', type: 'File' } }]),
        containers: [
          { volumeMounts: expect.arrayContaining([{ name: 'boot-id', mountPath: '/run/drover/boot_id', readOnly: true }]) },
        ],
      });
      expect(spec.containers[0]?.command[5]).toBe('/run/drover/boot_id');
    }
  });

  it('is a HostProcess pod on Windows, whatever the method is', () => {
    const windows = aNode({ labels: { 'kubernetes.io/os': 'windows' } });
    const { spec } = bodyOf({ method: 'Signal', windowsImage: 'win:1' }, windows);
    expect(spec.securityContext).toEqual({ windowsOptions: { hostProcess: true, runAsUserName: 'NT AUTHORITY\\SYSTEM' } });
    expect(spec.hostPID).toBeUndefined();
    expect(spec.containers[0]).toMatchObject({ image: 'win:1' });
    expect(spec.containers[0]?.command.at(-1)).toContain('shutdown.exe /r');
  });
});

describe('its script, run by the shell of this machine', () => {
  let folder = '';
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'drover-reboot-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What it does on a machine with that boot id, where the reboot is a file that is written. */
  function runOn(bootId: string | null, command: readonly string[] = ['sh', '-c', `echo rebooted > ${folder}/rebooted`]) {
    for (const name of ['rebooted', 'log']) rmSync(join(folder, name), { force: true });
    const file = join(folder, bootId === null ? 'none' : 'boot_id');
    if (bootId !== null) writeFileSync(file, bootId);
    const [sh = '', flag = '', script = '', name = '', expected = ''] = containerOf({}, aNode(), 'boot-1').command;
    const written = script.replaceAll('/dev/termination-log', join(folder, 'log'));
    const { status } = spawnSync(sh, [flag, written, name, expected, file, ...command], { stdio: 'ignore' });
    const read = (what: string) => {
      try {
        return readFileSync(join(folder, what), 'utf8').trim();
      } catch {
        return null;
      }
    };
    return { status, rebooted: read('rebooted') !== null, log: read('log') };
  }

  it('reboots the boot that it is meant for', () => {
    expect(runOn('boot-1\n')).toMatchObject({ status: 0, rebooted: true });
    expect(runOn('boot-1')).toMatchObject({ status: 0, rebooted: true });
  });

  it('does nothing on another boot: that reboot has happened', () => {
    expect(runOn('boot-2\n')).toEqual({ status: 0, rebooted: false, log: 'not needed any more: this is boot boot-2' });
  });

  it('does nothing, and fails, where the boot id cannot be read', () => {
    expect(runOn(null)).toMatchObject({ status: 65, rebooted: false });
  });

  it('fails as its command fails, with its words', () => {
    expect(runOn('boot-1\n', ['sh', '-c', 'echo Access denied >&2; exit 4'])).toEqual({
      status: 4,
      rebooted: false,
      log: 'Access denied',
    });
  });
});
