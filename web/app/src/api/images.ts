import { graphql } from '../gql';

/** All that an image's pages show of it, and what keeps them up to date. */
export const ImageFields = graphql(`
  fragment ImageFields on Image {
    id
    name
    source {
      repository
      ref
      context
      dockerfile
    }
    destination
    tags
    platforms
    buildArgs {
      key
      value
    }
    cache
    triggers {
      push
      schedule
      baseImage
      nextRunAt
      lastRunAt
      scheduleMessage
      baseImageMessage
    }
    pushWebhookURL
    timeoutSeconds
    suspended
    public
    badgeURL
    gitCredential {
      kind
      host
      username
      createdAt
    }
    buildSecrets {
      key
      createdAt
    }
    webhook {
      url
      createdAt
    }
    createdAt
    updatedAt
  }
`);

export const UpdateImage = graphql(`
  mutation UpdateImage($input: UpdateImageInput!) {
    updateImage(input: $input) {
      image {
        ...ImageFields
      }
    }
  }
`);
