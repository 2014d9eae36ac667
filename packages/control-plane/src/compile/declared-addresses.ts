/** By which addresses connections to a service are known. */
import { isIP } from 'node:net';
import type { HostView, MeshHost } from '@heddle/model';
import type { DeepPartial } from '@heddle/xds';
import type { CidrRange } from '@heddle/xds/api/envoy/config/core/v3/address.ts';
import type { VirtualAddress } from './virtual-addresses.ts';

/** The port that a URL need not name. */
const defaultHttpPort = 80;

/** Whether a host is given an address of the mesh's: where its callers' own addresses decide, that would lead nowhere. */
export function needsVirtualAddress({ host, service, shared, views }: MeshHost): boolean {
  if (service === null || host.startsWith('*')) return false;
  return [shared, ...views.values()].some(isAddressless);
}

function isAddressless({ declared }: HostView): boolean {
  if (declared === undefined) return true;
  const { resolution, addresses } = declared;
  return addresses.length === 0 && resolution !== 'NONE' && resolution !== 'DYNAMIC_DNS';
}

/** What the service's name stands for: the addresses that are written, or else the one that the mesh gave it. */
export function addressesOf(view: HostView, virtual: VirtualAddress | null): readonly string[] {
  if (!isAddressless(view)) return view.declared!.addresses.filter((address) => isIP(address) !== 0);
  return virtual === null ? [] : [virtual.v4, virtual.v6];
}

/** The same with ranges, as filter chains name them. */
export function rangesOf(view: HostView, virtual: VirtualAddress | null): DeepPartial<CidrRange>[] {
  const written = isAddressless(view) ? addressesOf(view, virtual) : view.declared!.addresses;
  return written.flatMap((text) => {
    const [address = '', length] = text.split('/');
    const family = isIP(address);
    if (family === 0) return [];
    return [
      {
        addressPrefix: address,
        prefixLen: length === undefined ? (family === 4 ? 32 : 128) : Number(length),
      },
    ];
  });
}

/** Authorities of requests that name a port of the service by a written address. */
export function addressDomains({ declared }: HostView, port: number): string[] {
  return (declared?.addresses ?? []).flatMap((address) => {
    const family = isIP(address);
    if (family === 0) return [];
    const name = family === 6 ? `[${address}]` : address;
    return port === defaultHttpPort ? [`${name}:${port}`, name] : [`${name}:${port}`];
  });
}
