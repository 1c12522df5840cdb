/** One node: containerd, kubelet and kube-proxy in a network namespace of their own. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cniFolder, programPath } from './binaries.ts';
import { tokenOf, writeKubeconfig } from './credentials.ts';
import { pauseImage } from './image.ts';
import { breakMachine, machineName, makeMachine, netns, nodeAddress, nodeName, podNetwork, podSubnet, tool } from './machine.ts';
import { killProcessesOf, start, waitReady } from './processes.ts';

const nodeFolder = (folder: string, index: number) => join(folder, nodeName(index));
const socketOf = (folder: string, index: number) => join(nodeFolder(folder, index), 'run/containerd.sock');

/** Overlay does not lie on overlay (a bed in a container): then containerd copies, which any file system can do. */
function snapshotter(folder: string): string {
  const OVERLAYFS_SUPER_MAGIC = 0x794c7630;
  return statfsSync(folder).type === OVERLAYFS_SUPER_MAGIC ? 'native' : 'overlayfs';
}

function containerdConfig(folder: string, home: string): string {
  return `
version = 2
root = "${home}/containerd"
state = "${home}/run"
[grpc]
  address = "${home}/run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  # a machine without CAP_SYS_RESOURCE may not lower a process's score
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  sandbox_image = "${pauseImage}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cniFolder}"
    conf_dir = "${home}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${snapshotter(folder)}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "${home}/run/runc"
`;
}

function cniConfig(home: string, index: number): object {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: podSubnet(index) }]],
    dataDir: join(home, 'ipam'),
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: false, ipam };
  return { cniVersion: '0.4.0', name: machineName(index), plugins: [bridge] };
}

function kubeletConfig(folder: string, home: string, index: number): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(folder, 'pki/kubelet-client.crt') },
    },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${machineName(index)}`,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    containerRuntimeEndpoint: `unix://${socketOf(folder, index)}`,
    podLogsDir: join(home, 'pod-logs'),
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '50Mi' },
    nodeStatusUpdateFrequency: '5s',
  };
}

const ctr = (folder: string, index: number, ...args: readonly string[]) =>
  tool('ctr', '--address', socketOf(folder, index), '--namespace', 'k8s.io', ...args);

/** Imports a docker archive into a node that is up. */
export function importImage(folder: string, index: number, archive: string): void {
  ctr(folder, index, 'images', 'import', '--snapshotter', snapshotter(folder), archive);
}

export const isUp = (index: number) => existsSync(netns(index));

async function startContainerd(folder: string, index: number, enter: readonly string[]): Promise<void> {
  const home = nodeFolder(folder, index);
  const component = `${nodeName(index)}-containerd`;
  writeFileSync(join(home, 'containerd.toml'), containerdConfig(folder, home));
  writeFileSync(join(home, 'cni/10-bed.conflist'), JSON.stringify(cniConfig(home, index)));
  start(folder, component, ['nsenter', ...enter, 'containerd', '--config', join(home, 'containerd.toml')]);
  await waitReady(folder, component, 30_000, async () => {
    try {
      ctr(folder, index, 'version');
      return true;
    } catch {
      return false;
    }
  });
  const images = join(folder, 'images');
  for (const archive of readdirSync(images)) importImage(folder, index, join(images, archive));
}

/**
 * Starts a node, with a boot id that it never had, and returns as soon as its kubelet runs; it gets Ready some seconds later.
 * Labels are those of its last start unless given.
 */
export async function startNode(
  folder: string,
  server: string,
  index: number,
  labels?: Readonly<Record<string, string>>,
): Promise<void> {
  if (isUp(index)) throw new Error(`${nodeName(index)} is up already`);
  const home = nodeFolder(folder, index);
  for (const part of ['cni', 'containerd', 'kubelet', 'run']) mkdirSync(join(home, part), { recursive: true });
  const labelsPath = join(home, 'labels');
  if (labels || !existsSync(labelsPath))
    writeFileSync(
      labelsPath,
      Object.entries(labels ?? {})
        .map((pair) => pair.join('='))
        .join(','),
    );
  makeMachine(index);

  // not `ip netns exec`: that mounts a /sys of its own, in which the kubelet finds no cgroups
  const enter = [`--net=${netns(index)}`];
  await startContainerd(folder, index, enter);

  const kubeconfig = (user: string) => writeKubeconfig(folder, user, server, tokenOf(folder, user));
  writeFileSync(join(home, 'boot_id'), `${randomUUID()}\n`);
  writeFileSync(join(home, 'kubelet.json'), JSON.stringify(kubeletConfig(folder, home, index)));
  start(folder, `${nodeName(index)}-kubelet`, [
    'nsenter',
    ...enter,
    programPath('kubelet'),
    `--config=${join(home, 'kubelet.json')}`,
    `--kubeconfig=${kubeconfig(`system:node:${nodeName(index)}`)}`,
    `--hostname-override=${nodeName(index)}`,
    `--node-ip=${nodeAddress(index)}`,
    `--root-dir=${join(home, 'kubelet')}`,
    `--cert-dir=${join(home, 'pki')}`,
    `--boot-id-file=${join(home, 'boot_id')}`,
    `--node-labels=${readFileSync(labelsPath, 'utf8')}`,
  ]);
  start(folder, `${nodeName(index)}-kube-proxy`, [
    'nsenter',
    ...enter,
    programPath('kube-proxy'),
    `--kubeconfig=${kubeconfig('system:kube-proxy')}`,
    `--hostname-override=${nodeName(index)}`,
    // in nftables mode this bed lost connections at every change of endpoints, whoever made it
    '--proxy-mode=iptables',
    `--cluster-cidr=${podNetwork}`,
    '--conntrack-max-per-core=0',
  ]);
}

/** The machine is gone from one moment to the next; Kubernetes is not told. */
export function stopNode(folder: string, index: number): void {
  // containerd's shims carry its name
  for (const program of ['kubelet', 'kube-proxy', 'containerd']) killProcessesOf(folder, `${nodeName(index)}-${program}`);
  breakMachine(index, nodeFolder(folder, index));
}
