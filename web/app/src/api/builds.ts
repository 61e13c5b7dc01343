import { graphql } from '../gql';

/** What a list shows of a build, and what keeps it up to date. */
export const BuildRow = graphql(`
  fragment BuildRow on Build {
    id
    number
    phase
    reason
    trigger
    triggeredBy
    commit
    digest
    queuedAt
    startedAt
    finishedAt
    durationSeconds
  }
`);

/** Follows one image's builds, or all of the viewer's. The image comes along, because its latest build may be another one now. */
export const BuildsChanged = graphql(`
  subscription BuildsChanged($image: ID) {
    buildChanged(image: $image) {
      ...BuildRow
      image {
        id
        latestBuild {
          id
        }
      }
    }
  }
`);

export const StartBuild = graphql(`
  mutation StartBuild($input: StartBuildInput!) {
    startBuild(input: $input) {
      build {
        ...BuildRow
        image {
          id
          latestBuild {
            id
          }
        }
      }
    }
  }
`);

export const CancelBuild = graphql(`
  mutation CancelBuild($input: CancelBuildInput!) {
    cancelBuild(input: $input) {
      build {
        ...BuildRow
      }
    }
  }
`);

export const RetryBuild = graphql(`
  mutation RetryBuild($input: RetryBuildInput!) {
    retryBuild(input: $input) {
      build {
        ...BuildRow
        image {
          id
          latestBuild {
            id
          }
        }
      }
    }
  }
`);
