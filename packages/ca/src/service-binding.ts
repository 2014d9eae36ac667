/** Says that the workloads of a service account may be instances of a service that has another name. */
export interface ServiceBinding {
  /** Of the service account and of the service. */
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly service: string;
}
