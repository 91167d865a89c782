export const STS_VERSION = '2011-06-15'

export const REGION = /^[a-z]{2}(-[a-z0-9]+)+$/

/** Where AWS says who somebody is; without a region, the one for all of them, which is in the first. */
export function stsAddress(region: string | undefined): string {
  if (region === undefined || !REGION.test(region)) return 'https://sts.amazonaws.com'
  return `https://sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
}
