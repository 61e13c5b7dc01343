import { graphql } from '../gql';

export const UsageFields = graphql(`
  fragment UsageFields on Usage {
    periodStart
    periodEnd
    buildMinutes
    includedBuildMinutes
    daily {
      date
      buildSeconds
      builds
    }
  }
`);
