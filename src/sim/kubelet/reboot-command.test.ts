import { describe, expect, it } from 'vitest';
import { createClusterBed, type PodChanges } from '../testing/cluster-bed.ts';
import { type KubeletOptions, startKubelets } from './kubelets.ts';
import { instantSteps } from './timing.ts';

const quiet: KubeletOptions = { steps: instantSteps, heartbeats: false };

async function withNode(options: KubeletOptions = quiet) {
  const bed = createClusterBed();
  const kubelets = startKubelets(bed.api, options);
  bed.node('n1');
  await bed.pass(0);
  return { ...bed, kubelets };
}

const on = (changes: PodChanges = {}): PodChanges => ({ ...changes, spec: { nodeName: 'n1', ...changes.spec } });
const privileged = (...command: string[]) => ({
  hostPID: true,
  containers: [{ name: 'app', image: 'app:1', command, securityContext: { privileged: true } }],
});

describe('a node', () => {
  it('is rebooted by a pod whose command says so', async () => {
    const { pod, pass, readNode } = await withNode({ ...quiet, reboot: { least: 5000, spread: 0 } });
    const bootId = readNode('n1').status?.nodeInfo?.['bootID'];
    pod('a', on({ spec: { ...privileged('systemctl', 'reboot'), restartPolicy: 'Never' } }));
    await pass(2);
    expect(readNode('n1').status?.nodeInfo?.['bootID']).toBe(bootId);
    await pass(10);
    expect(readNode('n1').status?.nodeInfo?.['bootID']).not.toBe(bootId);
  });

  it('is rebooted once by such a pod: what may not be restarted has failed when the machine is back', async () => {
    const { pod, pass, readNode, readPod } = await withNode({ ...quiet, reboot: { least: 5000, spread: 0 } });
    pod('other', on());
    pod('a', on({ spec: { ...privileged('systemctl', 'reboot'), restartPolicy: 'Never' } }));
    await pass(10);
    const bootId = readNode('n1').status?.nodeInfo?.['bootID'];
    expect(readPod('a')?.status).toMatchObject({
      phase: 'Failed',
      containerStatuses: [{ state: { terminated: { exitCode: 255 } } }],
    });
    expect(readPod('other')?.status?.containerStatuses?.[0]).toMatchObject({ restartCount: 1, ready: true });
    await pass(600);
    expect(readNode('n1').status?.nodeInfo?.['bootID']).toBe(bootId);
  });

  it('is not Ready for the node lifecycle while it reboots', async () => {
    const { kubelets, pod, pass } = await withNode({ ...quiet, reboot: { least: 5000, spread: 0 } });
    pod('a', on({ spec: { ...privileged('/sbin/reboot'), restartPolicy: 'Never' } }));
    await pass(2);
    expect(kubelets.powerOf('n1')).toBe('off');
    await pass(5);
    expect(kubelets.powerOf('n1')).toBe('up');
  });

  it.each([
    ['that cannot reach the host', { containers: [{ name: 'app', image: 'app:1', command: ['systemctl', 'reboot'] }] }],
    ['that is privileged and sees only its own processes', { ...privileged('systemctl', 'reboot'), hostPID: false }],
    ['whose command only speaks of it', privileged('echo', 'no reboot needed')],
    ['that switches the machine off for good', privileged('shutdown', '-h', 'now')],
  ] as const)('is not rebooted by a pod %s', async (_, spec) => {
    const { pod, pass, readNode } = await withNode({ ...quiet, reboot: { least: 5000, spread: 0 } });
    const bootId = readNode('n1').status?.nodeInfo?.['bootID'];
    pod('a', on({ spec: { ...spec, restartPolicy: 'Never' } }));
    await pass(60);
    expect(readNode('n1').status?.nodeInfo?.['bootID']).toBe(bootId);
  });
});
