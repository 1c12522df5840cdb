import { copyFileSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { until } from './api-call.ts';
import { attachBed, type Bed } from './bed.ts';
import { clearLeftovers, createBedFolder } from './bed-folder.ts';
import { findBeds } from './binaries.ts';
import { startControlPrograms } from './control-programs.ts';
import { standardUsers, type User, writeCredentials } from './credentials.ts';
import { writeStandardImages } from './image.ts';
import {
  breakAllMachines,
  hostAddress,
  makeBridge,
  MAX_NODES,
  nodeAddress,
  nodeName,
  restoreKernelSettings,
  saveKernelSettings,
  tool,
} from './machine.ts';
import { importImage, isUp, startNode, stopNode } from './real-node.ts';

export interface RealNodesOptions {
  /** Default 3, at most 20: node1, node2, ... */
  readonly nodes?: number;
  /** Of every node made at start. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Default: no audit log. */
  readonly audit?: 'Metadata' | 'Request';
  /** Besides those in credentials.ts. */
  readonly users?: readonly User[];
}

export interface RealNodesBed extends Bed {
  /** Starts node `index` (1 to 20), a new one or one that is down, and waits until it is Ready. Labels default to its last ones. */
  nodeUp(index: number, labels?: Readonly<Record<string, string>>): Promise<void>;
  /** Cuts the power: kubelet, pods and network are gone at once, and Kubernetes is not told. Its disk stays. */
  nodeDown(index: number): void;
  /** `nodeDown`, then `nodeUp` after `offMs` (default 1,000), with another boot id. */
  nodeReboot(index: number, offMs?: number): Promise<void>;
  /** Imports a docker archive (image.ts) into every node, and into those that come later. */
  loadImage(archive: string): void;
  /** One URL per node that is up: kube-proxy there sends each connection to any pod of the Service. */
  nodePortUrls(port: number, path?: string): string[];
}

export interface RealNodes extends RealNodesBed {
  /** Ends and removes everything: processes, pods, mounts, cgroups, network, folder. */
  stop(): Promise<void>;
}

function destroy(folder: string): void {
  breakAllMachines(folder);
  restoreKernelSettings(folder);
}

interface NodeView {
  readonly status: {
    readonly nodeInfo: { readonly bootID: string };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

const indexes = Array.from({ length: MAX_NODES }, (_, index) => index + 1);

/** A handle on the running bed in `folder`. */
export function attachRealNodes(folder: string): RealNodesBed {
  const bed = attachBed(folder);
  const look = (index: number) => bed.api<NodeView>({ path: `/api/v1/nodes/${nodeName(index)}` });

  async function nodeUp(index: number, labels?: Readonly<Record<string, string>>): Promise<void> {
    if (!indexes.includes(index)) throw new Error(`node ${index}: nodes are numbered from 1 to ${MAX_NODES}`);
    const before = await look(index).catch(() => undefined);
    await startNode(folder, bed.server, index, labels);
    await until(`${nodeName(index)} to be Ready`, async () => {
      const { nodeInfo, conditions = [] } = (await look(index)).status;
      // after a reboot the Node still says Ready from before, until the new kubelet has reported for the first time
      const reported = nodeInfo.bootID !== before?.status.nodeInfo.bootID;
      return reported && conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    });
  }

  const nodeDown = (index: number) => stopNode(folder, index);

  return {
    ...bed,
    nodeUp,
    nodeDown,
    async nodeReboot(index, offMs = 1000) {
      nodeDown(index);
      await new Promise((resolve) => setTimeout(resolve, offMs));
      await nodeUp(index);
    },
    loadImage(archive) {
      const kept = join(folder, 'images', basename(archive));
      copyFileSync(archive, kept);
      for (const index of indexes) if (isUp(index)) importImage(folder, index, kept);
    },
    nodePortUrls: (port, path = '/') => indexes.filter(isUp).map((index) => `http://${nodeAddress(index)}:${port}${path}`),
  };
}

/** What the API server shows the kubelets for `kubectl logs` and `exec`; self-signed, so it is the kubelets' authority too. */
function makeKubeletClientCertificate(folder: string): string[] {
  const [key, certificate] = [join(folder, 'pki/kubelet-client.key'), join(folder, 'pki/kubelet-client.crt')];
  const subject = '/O=system:masters/CN=apiserver-kubelet-client';
  tool(
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '30',
    '-subj',
    subject,
    '-keyout',
    key,
    '-out',
    certificate,
  );
  return [`--kubelet-client-certificate=${certificate}`, `--kubelet-client-key=${key}`];
}

/**
 * Starts a cluster of real nodes on this machine (about 30 s; root, Linux): the control plane on a bridge, each node in a network
 * namespace. One at a time per machine, because addresses and names are fixed; what a killed run left behind is cleared first.
 * @throws Error when another one runs, when something is missing, or naming the component that did not start
 */
export async function startRealNodes(options: RealNodesOptions = {}): Promise<RealNodes> {
  const { nodes = 3, labels = {}, users = [] } = options;
  const found = findBeds().realNodes;
  if (!found.available) throw new Error(`real-nodes bed: ${found.because}; get it with: ${found.get}`);
  const [other] = clearLeftovers('real-nodes', destroy);
  if (other !== undefined) throw new Error(`process ${other} runs a real-nodes bed: one at a time, wait for its end`);
  const { folder, stop } = createBedFolder('real-nodes', destroy);
  try {
    breakAllMachines(folder); // of a run whose folder somebody has removed
    saveKernelSettings(folder);
    mkdirSync(join(folder, 'images'));
    writeStandardImages(join(folder, 'images'));
    makeBridge();
    const nodeUsers = indexes.map((index) => ({ name: `system:node:${nodeName(index)}`, groups: ['system:nodes'] }));
    writeCredentials(folder, [...standardUsers, ...nodeUsers, ...users]);
    await startControlPrograms(folder, {
      host: hostAddress,
      audit: options.audit,
      fsync: false,
      scheduler: true,
      apiServerFlags: [
        '--enable-admission-plugins=NodeRestriction',
        '--kubelet-preferred-address-types=InternalIP',
        ...makeKubeletClientCertificate(folder),
      ],
    });
    const bed = attachRealNodes(folder);
    await Promise.all(indexes.slice(0, nodes).map((index) => bed.nodeUp(index, labels)));
    return { ...bed, stop: async () => stop() };
  } catch (error) {
    stop();
    throw error;
  }
}
